/**
 * The ordinary case of the two scripts that most requests run, told before the words that know all cases, which it
 * then does without: that takes less than half the time. Of what is asked, whatever is not ordinary falls through to them, and
 * nothing of it is written before that is decided.
 */

/**
 * Lua that finds the record of a key: alive, of generations that have not ended. Its row is as in the prelude, but
 * for `owner` and `rest`, which are as they are packed, `newest`, the number of the kind's generation, and `base`,
 * what its names begin with.
 */
const ORDINARY = String.raw`
-- what a call answers; of an error, the error as an answer
local function attempt(call, ...)
  local fine, answer = pcall(call, ...)
  if fine or type(answer) == "table" then return answer end
  return redis.error_reply(answer)
end

-- the number of a generation, 0 before the first; nil where it is none
local function numberAt(name)
  local state = redis.call("GET", name)
  return state and tonumber(string.match(state, "^%d+") or "") or not state and 0 or nil
end

-- the same of the kind, asked once where all tags have one
local newestOfAll
local function newestAt(base)
  if not everywhere then return numberAt(base .. "/e") end
  newestOfAll = newestOfAll or numberAt(at(everywhere, "/e"))
  return newestOfAll
end

-- what follows the tag in a key
local DOT = 46

-- the row of a key, or nil where it is no ordinary one
local function ordinary(key)
  local t = string.byte(key, 4) == DOT and string.match(key, TAG)
  local base = t and at(t, "")
  local value = base and redis.call("GET", base .. "." .. string.sub(key, 5, 26))
  if not value or string.sub(value, 1, 2) ~= "r1" then return nil end
  local whole, _, s, e, g, og, v, c, a, q, h, owner, rest, last = pcall(struct.unpack, RECORD, value)
  if not whole or rest ~= string.sub(key, 27) or e <= now then return nil end
  local newest = newestAt(base)
  if not newest or newest > g then return nil end
  local owners = owner == "" and 0 or numberAt(base .. "/g" .. owner)
  if not owners or owners > og then return nil end
  if string.find(h, "[%z ]") or string.find(owner, "%z") then return nil end
  return {t = t, base = base, s = s, e = e, g = g, og = og, v = v, c = c, a = a, q = q, h = h, owner = owner,
    rest = rest, newest = newest, p = string.sub(value, last)}
end

local function isWhole(number)
  return number % 1 == 0 and number > -2 ^ 53 and number < 2 ^ 53
end

-- as it is answered: one text, which takes less time to write and to read than a list; who asks knows
-- the key. Numbers with a fraction are rare, and take longer to write
local function shown(row, payload)
  local owner = row.owner == "" and "" or row.t .. row.owner
  local areWhole = isWhole(row.c) and isWhole(row.s) and isWhole(row.e) and isWhole(row.a)
  local form = areWhole and "%d %d %d %d %d " or "%.17g %.17g %.17g %.17g %.17g "
  return string.format(form, row.v, row.c, row.s, row.e, row.a) .. row.h .. "\0" .. owner .. "\0" .. payload
end

-- the answer to each thing that is asked, which may be an error; false where it is no ordinary one
local answers, areOrdinary = {}, true
local function answer(place, it)
  answers[place] = it or false
  if not it then areOrdinary = false end
end
`;

/** Before READ. */
export const ORDINARY_READ: string = String.raw`${ORDINARY}
local function readOrdinary(key)
  local row = ordinary(key)
  return row and shown(row, row.p)
end

for place = 1, #ARGV - 1 do answer(place, attempt(readOrdinary, ARGV[place + 1])) end
if areOrdinary then return answers end
`;

/**
 * Before UPDATE: of a record that has no owner, or is the one that its owner is counted by (its score is negative), and
 * so still is when it lives longer.
 */
export const ORDINARY_UPDATE: string = String.raw`${ORDINARY}
local function updateOrdinary(key, version, seenAt, expiresAt, payload)
  local row = ordinary(key)
  if not row or row.v ~= tonumber(version) then return nil end
  local id = string.sub(row.h, 1, 3) == row.t and string.sub(row.h, 4) or row.h
  local index, sign = row.base .. "/i" .. row.newest, 1
  if row.owner ~= "" then
    id, sign = id .. "\0" .. stamp(row.c) .. string.sub(row.owner, 2), -1
    local score = tonumber(redis.call("ZSCORE", index, id) or 0)
    if score >= 0 or score < -EVER then return nil end
  end
  row.v, row.s = row.v + 1, math.max(row.s, tonumber(seenAt))
  row.e = math.max(row.e, math.min(tonumber(expiresAt), row.a))
  local packed = struct.pack(RECORD, "r1", row.s, row.e, row.g, row.og, row.v, row.c, row.a, row.q,
    #row.h, row.h, #row.owner, row.owner, #row.rest, row.rest)
  redis.call("SET", row.base .. "." .. string.sub(key, 5, 26), packed .. payload, "PX", life(row.e + remember))
  redis.call("ZADD", index, score(sign, row.e), id)
  return shown(row, "")
end

-- the key, the numbers and the payload of what is asked
local function change(place)
  local version, seenAt, expiresAt = string.match(ARGV[3 * place], "^(%S+) (%S+) (%S+)$")
  return ARGV[3 * place - 1], version, seenAt, expiresAt, ARGV[3 * place + 1]
end

for place = 1, (#ARGV - 1) / 3 do answer(place, attempt(updateOrdinary, change(place))) end
if areOrdinary then return answers end
`;
