/** What every script begins with: the names of the keys, and what is at them. */

/**
 * Lua shared by all scripts. KEYS[1] is `<prefix>:{<tag>}:<kind>`; every other name is made from it
 * (so that a client's `keyPrefix` is kept). In a cluster (`sharded`) all of them are in its slot.
 * ARGV 1 to 3: the present instant, one `shared` shelf of indexes or one `sharded` for each tag, ms
 * to remember the expired.
 *
 * A row is what is at a key, its fields short: `f` format, `h` handle, `o` owner, `c` createdAt,
 * `e` expiresAt; a record's `v` version, `s` seenAt, `a` absoluteExpiresAt, `p` payload, `g` and `og`
 * its generations, `q` number in the order of writing; a tombstone's `d` ending, `m` the key it moved to, `u` until when that counts.
 */
export const PRELUDE: string = String.raw`
local now, layout, remember = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local head, here, kind = string.match(KEYS[1], "^(.*){(.-)}(.*)$")
local FIELDS = {"f", "h", "o", "c", "e", "v", "s", "a", "g", "og", "q", "d", "m", "u"}

-- the first three characters of an id
local function tag(id)
  return string.match(id, "^[%w_-][%w_-][AQgw]") or "---"
end

-- the name of what is kept for one id: k record, h handle, g generation of an owner
local function at(what, id)
  local slot = layout == "shared" and tag(id) or here
  return head .. "{" .. slot .. "}" .. kind .. ":" .. what .. ":" .. id
end

-- the name of an index of this shelf: a, l its handles, p, w its owners, e its generation
local function shelf(what)
  return head .. "{" .. (layout == "shared" and "*" or here) .. "}" .. kind .. ":" .. what
end

local function fail(code)
  error(redis.error_reply(code))
end

-- the number of a shelf's or an owner's present generation
local function generation(name)
  return redis.call("HGET", name, "n") or "0"
end

-- the name of an owner's index: what endAll ended is in one that nobody asks for any more
local function owned(owner)
  return at("o:" .. generation(shelf("e")), owner)
end

-- what is at a key, without its payload; nil: nothing
local function load(key)
  local name = at("k", key)
  local values = redis.call("HMGET", name, unpack(FIELDS))
  if not values[1] then
    if redis.call("EXISTS", name) == 0 then return nil end
    fail("SOJOURNCORRUPT a record without a format")
  end
  local row = {key = key}
  for index, field in ipairs(FIELDS) do row[field] = values[index] end
  if row.f ~= "1" then
    fail(tonumber(row.f) and "SOJOURNNEWER " .. row.f or "SOJOURNCORRUPT a record of no known format")
  end
  local numbers = row.d and {"c", "e"} or {"c", "e", "v", "s", "a", "g", "q"}
  for _, field in ipairs(numbers) do
    if not tonumber(row[field]) then fail("SOJOURNCORRUPT a record without " .. field) end
  end
  if not row.h or (row.o and not row.d and not tonumber(row.og)) then
    fail("SOJOURNCORRUPT a record without its handle or generation")
  end
  return row
end

-- the tombstone of a record, kept until its absolute timeout; of a rotation until its deadline
local function tombstone(row, ending, grace)
  local last = cjson.decode(ending).why == "rotated" and row.e or row.a
  if grace and tonumber(grace) > tonumber(last) then last = grace end
  return {key = row.key, h = row.h, o = row.o, c = row.c, e = last, d = ending}
end

-- the tombstone of a record that expired by itself
local function expired(row)
  local absolute = tonumber(row.e) >= tonumber(row.a)
  local last = absolute and string.format("%.17g", tonumber(row.e) + remember) or row.a
  local ending = '{"why":"' .. (absolute and "absolute" or "idle") .. '","at":' .. row.e .. '}'
  return {key = row.key, h = row.h, o = row.o, c = row.c, e = last, d = ending}
end

-- true and the ending, if the generation has ended; the ending of one long ago is forgotten
local function passed(name, number)
  local found = redis.call("HMGET", name, "n", number)
  return tonumber(found[1] or "0") > tonumber(number), found[2]
end

-- an alive record, a tombstone, or nil
local function judge(row)
  if row and not row.d then
    local over, ending = passed(shelf("e"), row.g)
    if not over and row.o then over, ending = passed(at("g", row.o), row.og) end
    if over and not ending then return nil end
    if over and tonumber(row.e) > cjson.decode(ending).at then
      row = tombstone(row, ending)
    elseif over or tonumber(row.e) <= now then
      row = expired(row)
    end
  end
  if row and tonumber(row.e) > now then return row end
  return nil
end

-- what is at a key (k) or a handle (h); a key in its grace time leads on
local function find(what, id)
  local key, found = id, nil
  if what == "h" then key = redis.call("GET", at("h", id)) end
  if what == "h" and key and layout == "sharded" and tag(key) ~= here then
    fail("SOJOURNELSEWHERE " .. tag(key))
  end
  while key do
    local row = load(key)
    if not row then break end
    found = judge(row)
    key = row.u and tonumber(row.u) > now and row.m
  end
  return found
end

local function alive(what, id)
  local found = find(what, id)
  return found and not found.d and found or nil
end

-- sorts rows by the first of three fields in which they differ
local function sort(rows, ...)
  local fields = {...}
  table.sort(rows, function(x, y)
    for _, field in ipairs(fields) do
      local left, right = tonumber(x[field]), tonumber(y[field])
      if left ~= right then return left < right end
    end
    return false
  end)
end

-- every alive record of an owner but that of one handle, in order of creation
local function others(owner, skip)
  local rows = {}
  for _, handle in ipairs(redis.call("ZRANGEBYSCORE", owned(owner), "(" .. ARGV[1], "+inf")) do
    local row = handle ~= skip and alive("h", handle)
    if row then rows[#rows + 1] = row end
  end
  sort(rows, "c", "q")
  return rows
end

-- a row as it is answered
local function view(row)
  if not row then return false end
  if row.d then return {"t", row.key, row.h, row.o, row.c, row.e, row.d} end
  local payload = redis.call("HGET", at("k", row.key), "p")
  if not payload then fail("SOJOURNCORRUPT a record without a payload") end
  return {"r", row.key, row.h, row.o, row.v, row.c, row.s, row.e, row.a, payload}
end
`;
