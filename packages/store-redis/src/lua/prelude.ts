/** What scripts know of all cases: the names of the keys, and what is at them. */

/**
 * Lua shared by all scripts. Names are made for the tag of the id that they are for. In a cluster all of them are
 * in one slot.
 *
 * A row is what is at a key: `t` tag, `key`, `h` handle, `o` owner, `c` createdAt, `e` expiresAt; a
 * record's `v` version, `s` seenAt, `a` absoluteExpiresAt, `p` payload, `g` and `og` its kind's and
 * its owner's generation, `q` when it was written, in µs; a tombstone's `d` ending, `m` the key it
 * moved to, `u` until when that counts.
 */
export const PRELUDE: string = String.raw`
local function fail(code)
  error(redis.error_reply(code))
end

-- the first three characters of an id
local function tag(id)
  return string.match(id, TAG) or "---"
end

-- the part of a key that names its record: 132 bits of the digest. The record has the rest
local function digest(key)
  return string.sub(key, 5, 26)
end

local function named(t, digest)
  return at(t, "." .. digest)
end

-- a state as it was when the script first asked for it
local states = {}
local function known(name)
  if states[name] == nil then states[name] = redis.call("GET", name) end
  return states[name]
end

-- how often the kind was ended, and how: see generation
local function state(t)
  return known(at(everywhere or t, "/e"))
end

-- the name of the same for an owner
local function ownersState(owner)
  return at(tag(owner), "/g" .. string.sub(owner, 4))
end

-- the row in a packed value
local function unpacked(t, digest, value)
  local row, what, rest, last = {t = t}
  if string.sub(value, 1, 1) == "r" then
    what, row.s, row.e, row.g, row.og, row.v, row.c, row.a, row.q, row.h, row.o, rest, last = struct.unpack(RECORD, value)
    row.p = string.sub(value, last)
  else
    what, row.c, row.e, row.u, row.h, row.o, rest, row.m, last = struct.unpack(STONE, value)
    row.d = string.sub(value, last)
  end
  row.key, row.o = t .. "." .. digest .. rest, row.o ~= "" and t .. row.o or nil
  return row
end

-- what has this part of a digest; nil: nothing
local function load(t, digest)
  local value = redis.call("GET", named(t, digest))
  if not value then return nil end
  local what, format = string.match(value, "^([rt])(%d)")
  if not what then fail("SOJOURNCORRUPT a record of no known format") end
  if format ~= "1" then fail("SOJOURNNEWER " .. format) end
  local whole, row = pcall(unpacked, t, digest, value)
  if not whole then fail("SOJOURNCORRUPT a part of a record") end
  return row
end

-- the row of a key, or nil
local function held(key)
  local row = load(tag(key), digest(key))
  return row and row.key == key and row or nil
end

-- the tombstone of a record, kept until its absolute timeout; of a rotation until its deadline
local function tombstone(row, ending, grace)
  local last = string.find(ending, '^{"why":"rotated"') and row.e or row.a
  if grace and grace > last then last = grace end
  return {t = row.t, key = row.key, h = row.h, o = row.o, c = row.c, e = last, d = ending}
end

-- the tombstone of a record that expired by itself
local function expired(row)
  local absolute = row.e >= row.a
  local ending = '{"why":"' .. (absolute and "absolute" or "idle") .. '","at":' .. text(row.e) .. ',"seenAt":' .. text(row.s) .. '}'
  return {t = row.t, key = row.key, h = row.h, o = row.o, c = row.c,
    e = absolute and row.e + remember or row.a, d = ending}
end

-- the number of the present generation, and a line for how each of the last ones ended, newest first
local function generation(state)
  if not state then return 0, "" end
  local number, endings = string.match(state, "^(%d+)(.*)$")
  if not number then fail("SOJOURNCORRUPT a generation without a number") end
  return tonumber(number), endings
end

-- true and the ending, if a generation has ended; the ending of one long ago is forgotten
local function passed(state, number)
  local newest, endings = generation(state)
  if newest <= number then return false end
  for ending in string.gmatch(endings, "\n([^\n]+)") do
    newest = newest - 1
    if newest == number then return true, ending end
  end
  return true
end

-- an alive record, a tombstone, or nil
local function judge(row)
  if row and not row.d then
    local over, ending = passed(state(row.t), row.g)
    if not over and row.o then over, ending = passed(known(ownersState(row.o)), row.og) end
    if over and not ending then return nil end
    if over and row.e > cjson.decode(ending).at then
      row = tombstone(row, ending)
    elseif over or row.e <= now then
      row = expired(row)
    end
  end
  if row and row.e > now then return row end
  return nil
end

-- what is at a row; one in its grace time leads on
local function settle(row)
  local found = judge(row)
  while row and row.m and row.m ~= "" and row.u > now do
    row = held(row.m)
    if row then found = judge(row) end
  end
  return found
end

-- a row as it is answered
local function view(row)
  if not row then return false end
  if row.d then return {"t", row.key, row.h, row.o or false, text(row.c) .. " " .. text(row.e), row.d} end
  local numbers = string.format("%.17g %.17g %.17g %.17g %.17g", row.v, row.c, row.s, row.e, row.a)
  return {"r", row.key, row.h, row.o or false, numbers, row.p}
end
`;
