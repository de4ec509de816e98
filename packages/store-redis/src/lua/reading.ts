/** The scripts that only read. */
import { script } from "./script.ts";
import type { Script } from "./script.ts";

const FLAGS = "no-writes";

/** What is at a reference. ARGV: k or h, key or handle. */
export const READ: Script = script(
  "read",
  FLAGS,
  String.raw`
return view(find(ARGV[4], ARGV[5]))
`,
);

/** The alive records of an owner. ARGV: owner. */
export const LIST: Script = script(
  "listOwner",
  FLAGS,
  String.raw`
local views = {}
for index, row in ipairs(others(ARGV[4])) do views[index] = view(row) end
return views
`,
);

/** The numbers of alive records and of their owners on a shelf. */
export const COUNT: Script = script(
  "count",
  FLAGS,
  String.raw`
local after = "(" .. ARGV[1]
return {redis.call("ZCOUNT", shelf("a"), after, "+inf"), redis.call("ZCOUNT", shelf("p"), after, "+inf")}
`,
);

/** Owners of a shelf behind one, with their numbers of alive records. ARGV: "[" or "(" and the owner, how many. */
export const OWNERS: Script = script(
  "owners",
  FLAGS,
  String.raw`
local found = redis.call("ZRANGEBYLEX", shelf("w"), ARGV[4], "+", "LIMIT", 0, ARGV[5])
local after, active = "(" .. ARGV[1], {}
for index, owner in ipairs(found) do
  active[index] = redis.call("ZCOUNT", owned(owner), after, "+inf")
end
return {found, active}
`,
);

/** Records of a shelf behind a handle, and the last handle looked at. ARGV: "-" or "(" and the handle, how many. */
export const SCAN: Script = script(
  "scan",
  FLAGS,
  String.raw`
local found, views = redis.call("ZRANGEBYLEX", shelf("l"), ARGV[4], "+", "LIMIT", 0, ARGV[5]), {}
for _, handle in ipairs(found) do
  local row = alive("h", handle)
  if row then views[#views + 1] = view(row) end
end
return {found[#found] or false, views}
`,
);
