/**
 * The ordinary case of the two scripts that most requests run, told before the words that know all cases, which it
 * then does without: that takes less than half the time. What is not ordinary falls through to them, and
 * nothing is written before that is decided.
 */

/**
 * Lua that finds the record of a key: alive, of generations that have not ended. Its row is as in the prelude, but
 * for `owner` and `rest`, which are as they are packed, and `newest`, the number of the kind's generation.
 */
const ORDINARY = String.raw`
-- the number of a generation, 0 before the first; nil where it is none
local function numberAt(name)
  local state = redis.call("GET", name)
  return state and tonumber(string.match(state, "^%d+") or "") or not state and 0 or nil
end

-- the row of a key, or nil where it is no ordinary one
local function ordinary(key)
  local value = redis.call("GET", KEYS[1] .. "." .. string.sub(key, 5, 26))
  if not value or string.sub(value, 1, 2) ~= "r1" then return nil end
  local whole, _, s, e, g, og, v, c, a, q, h, owner, rest, last = pcall(struct.unpack, RECORD, value)
  if not whole or rest ~= string.sub(key, 27) or e <= now then return nil end
  local newest = numberAt((everywhere and head .. "{" .. everywhere .. "}" .. kind or KEYS[1]) .. "/e")
  if not newest or newest > g then return nil end
  local owners = owner == "" and 0 or numberAt(KEYS[1] .. "/g" .. owner)
  if not owners or owners > og then return nil end
  if string.find(h, "[%z ]") or string.find(owner, "%z") then return nil end
  return {s = s, e = e, g = g, og = og, v = v, c = c, a = a, q = q, h = h, owner = owner, rest = rest,
    newest = newest, p = string.sub(value, last)}
end

local function isWhole(number)
  return number % 1 == 0 and number > -2 ^ 53 and number < 2 ^ 53
end

-- as it is answered: one text, which takes less time to write and to read than a list; who asks knows
-- the key. Numbers with a fraction are rare, and take longer to write
local function shown(key, row, payload)
  local owner = row.owner == "" and "" or string.sub(key, 1, 3) .. row.owner
  local areWhole = isWhole(row.c) and isWhole(row.s) and isWhole(row.e) and isWhole(row.a)
  local form = areWhole and "%d %d %d %d %d " or "%.17g %.17g %.17g %.17g %.17g "
  return string.format(form, row.v, row.c, row.s, row.e, row.a) .. row.h .. "\0" .. owner .. "\0" .. payload
end
`;

/** Before READ. */
export const ORDINARY_READ: string = String.raw`${ORDINARY}
local ordinaryRow = ordinary(ARGV[2])
if ordinaryRow then return shown(ARGV[2], ordinaryRow, ordinaryRow.p) end
`;

/**
 * Before UPDATE: of a record that has no owner, or is the one that its owner is counted by (its score is negative), and
 * so still is when it lives longer.
 */
export const ORDINARY_UPDATE: string = String.raw`${ORDINARY}
local function update(key, row)
  local id = string.sub(row.h, 1, 3) == here and string.sub(row.h, 4) or row.h
  local index, sign = KEYS[1] .. "/i" .. row.newest, 1
  if row.owner ~= "" then
    id, sign = id .. "\0" .. stamp(row.c) .. string.sub(row.owner, 2), -1
    local score = tonumber(redis.call("ZSCORE", index, id) or 0)
    if score >= 0 or score < -EVER then return nil end
  end
  row.v, row.s = row.v + 1, math.max(row.s, tonumber(ARGV[5]))
  row.e = math.max(row.e, math.min(tonumber(ARGV[6]), row.a))
  local packed = struct.pack(RECORD, "r1", row.s, row.e, row.g, row.og, row.v, row.c, row.a, row.q,
    #row.h, row.h, #row.owner, row.owner, #row.rest, row.rest)
  redis.call("SET", KEYS[1] .. "." .. string.sub(key, 5, 26), packed .. ARGV[7], "PX", life(row.e + remember))
  redis.call("ZADD", index, score(sign, row.e), id)
  return shown(key, row, "")
end

if ARGV[2] == "k" then
  local row = ordinary(ARGV[3])
  local updated = row and row.v == tonumber(ARGV[4]) and update(ARGV[3], row)
  if updated then return updated end
end
`;
