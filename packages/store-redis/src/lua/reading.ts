/** The scripts that only read. */
import { FINDING } from "./finding.ts";
import { ORDINARY_READ } from "./ordinary.ts";
import { script } from "./script.ts";
import type { Script } from "./script.ts";

const FLAGS = "no-writes";

/** Of scripts that read many tags: in a cluster, each of them must be on one node. */
const MANY = `${FLAGS},allow-cross-slot-keys`;

/** What is at each of some keys, or the error of that one. ARGV: keys. */
export const READ: Script = script(
  "read",
  FLAGS,
  String.raw`
local function readAny(key)
  return view(settle(held(key)))
end

for place, it in ipairs(answers) do
  if not it then answers[place] = attempt(readAny, ARGV[place + 1]) end
end
return answers
`,
  ORDINARY_READ,
);

/** What is at a handle. ARGV: handle. */
export const READ_HANDLE: Script = script(
  "read",
  FLAGS,
  `${FINDING}return view(find("h", ARGV[2]))`,
);

/** The alive records of an owner. ARGV: owner. */
export const LIST: Script = script(
  "listOwner",
  FLAGS,
  String.raw`${FINDING}
local views = {}
for place, row in ipairs(others(ARGV[2])) do views[place] = view(row) end
return views
`,
);

/** The numbers of alive records and of their owners. ARGV: tags. */
export const COUNT: Script = script(
  "count",
  MANY,
  String.raw`${FINDING}
local active, principals = 0, 0
for t in string.gmatch(ARGV[2], "...") do
  local i = index(t, "/i")
  local counted = redis.call("ZCOUNT", i, text(-EVER), "(-" .. ARGV[1])
  principals = principals + counted
  active = active + counted + redis.call("ZCOUNT", i, "(" .. ARGV[1], "+inf")
end
return {active, principals}
`,
);

/**
 * What the scripts have in common that hand out names page by page: `look` is called with each
 * name, and answers whether to go on. ARGV: tags, a name of the first tag to begin behind or nothing,
 * how much to find.
 */
const PAGING = String.raw`${FINDING}
-- a script looks at so many tags and names
local MOST, PAGE, looked = 1000, 100, 0

-- where it stopped, tag and name; or nothing
local function walk(first, last, look)
  local behind = ARGV[3]
  for t in string.gmatch(ARGV[2], "...") do
    repeat
      local from, n = behind ~= "" and "(" .. behind or first, index(t, "/n")
      local names = redis.call("ZRANGEBYLEX", n, from, last, "LIMIT", 0, PAGE)
      for _, name in ipairs(names) do
        looked = looked + 1
        if looked > MOST or not look(t, name) then return t, behind end
        behind = name
      end
    until #names < PAGE
    behind, looked = "", looked + 1
  end
  return false, ""
end
`;

/** Owners and their numbers of alive records; the last number may be a part. ARGV: as above. */
export const OWNERS: Script = script(
  "owners",
  MANY,
  String.raw`${PAGING}
local owners, active = {}, {}
local t, behind = walk("[o", "(p", function(t, name)
  local principal, created, id = string.match(name, "^o(.-)%z[01](......)(.*)$")
  local owner = t .. "." .. string.gsub(principal, "%z2", "\0")
  if deadline({t = t, o = owner, created = created, id = id}) <= now then return true end
  if owners[#owners] ~= owner then
    if #owners == tonumber(ARGV[4]) then return false end
    owners[#owners + 1], active[#owners + 1] = owner, 0
  end
  active[#owners] = active[#owners] + 1
  return true
end)
return {t, behind, owners, active}
`,
);

/** Alive records in the order of their handles. ARGV: as above. */
export const SCAN: Script = script(
  "scan",
  MANY,
  String.raw`${PAGING}
local MOST_BYTES, bytes, views = 1000000, 0, {}
local t, behind = walk("[h", "(i", function(t, name)
  if #views == tonumber(ARGV[4]) or bytes > MOST_BYTES then return false end
  local id, to = string.match(name, "^h(%Z*)%z(.*)$")
  local row = judge(load(t, to))
  if row and not row.d and short(t, row.h) == id then
    views[#views + 1], bytes = view(row), bytes + #row.p
  end
  return true
end)
local last = string.match(behind, "^h%Z*")
return {t, last and last .. "\1" or "", views}
`,
);
