/** What the scripts have besides that find records by handle or owner: the two indexes of a tag. */

/**
 * Lua of the indexes, both sorted sets, so that a small one is a packed list. Each has the number of
 * its kind's generation in its name: what endAll ended is in one that nobody counts any more.
 * - `/i<n>` has records by deadline. The score of one for each owner is negative: the one that lives
 *   longest. So the negative ones in the future are the owners with alive records. What is over and
 *   waits to be forgotten is below all of them.
 * - `/n<n>` has names: handles, which lead to records, and the records of each owner, by creation.
 *
 * **The invariant**, true between any two scripts: a record that is alive and has an owner has one entry
 * among its owner's, with its own createdAt, and its own deadline in `/i`; exactly one entry of an owner
 * with alive records has the flag 0, that of the one that lives longest. So there are never fewer
 * entries than alive records, and what may make them more is known:
 * - *expired*: `/i` tells. Before a limit evicts or refuses, all of the tag's are retired; each once.
 * - *ended by endOwner*: it takes every entry out that it does not spare.
 * - *ended by endAll*: they are in the index of a generation that is over, whose name nobody makes.
 * - *a record that was taken away behind the store's back* (an eviction policy, DEL): seen when it is
 *   looked at, as it is among the oldest when one of those has to go; until then, or until its deadline,
 *   it has its place.
 */
export const FINDING: string = String.raw`
-- the endings of generations that are remembered
local ENDINGS = 8

-- the name of an index
local indexes = {}
local function index(t, what)
  local name = t .. what
  if not indexes[name] then
    local number = generation(state(t))
    indexes[name] = at(t, what .. number)
  end
  return indexes[name]
end

-- a handle without the tag that the name of its index has already
local function short(t, handle)
  return tag(handle) == t and string.sub(handle, 4) or handle
end

-- how the indexes know a record: tag, short handle, and if it has an owner, that and when it was created
local function placeOf(row)
  return {t = row.t, id = short(row.t, row.h), o = row.o, created = row.o and stamp(row.c)}
end

-- in /i: a record; and the place that such a name tells
local function member(place)
  return place.o and place.id .. "\0" .. place.created .. string.sub(place.o, 5) or place.id
end

local function placeIn(t, name)
  local id, created, principal = string.match(name, "^(%Z*)%z(......)(.*)$")
  return {t = t, id = id or name, o = id and t .. "." .. principal, created = created}
end

-- in /n: a handle leads to a record
local function lead(id, to)
  return "h" .. id .. "\0" .. to
end

-- in /n: an owner has a record; flag 0 for the one with the negative score, 1 for the others
local beginnings = {}
local function ofOwner(owner)
  if not beginnings[owner] then
    beginnings[owner] = "o" .. string.gsub(string.sub(owner, 5), "%z", "\0002") .. "\0"
  end
  return beginnings[owner]
end

local function entry(place, flag)
  return ofOwner(place.o) .. flag .. place.created .. place.id
end

-- the row that a handle leads to, or nil; and the key, if that has another tag
local function follow(t, handle)
  local number, to = generation(state(t)), nil
  local name = lead(short(t, handle), "")
  for each = number, math.max(0, number - ENDINGS), -1 do
    to = redis.call("ZRANGEBYLEX", at(t, "/n" .. each), "[" .. name, "(" .. name .. "\255", "LIMIT", 0, 1)[1]
    if to then break end
    local key = each == number and redis.call("GET", at(t, "/h:" .. handle))
    if key and tag(key) ~= t then return nil, key end
    to = key and name .. digest(key)
    if to then break end
  end
  local row = to and load(t, string.sub(to, #name + 1))
  return row and row.h == handle and row or nil
end

-- what is at a key (k) or a handle (h)
local function find(what, id)
  if what == "k" then return settle(held(id)) end
  local row, elsewhere = follow(here, id)
  if elsewhere then fail("SOJOURNELSEWHERE " .. tag(elsewhere)) end
  return settle(row)
end

local function alive(what, id)
  local found = find(what, id)
  return found and not found.d and found or nil
end

-- the deadline of a record in its index, 0: it has none any more
local function deadline(place)
  local score = tonumber(redis.call("ZSCORE", index(place.t, "/i"), member(place)) or 0)
  return score < -EVER and 0 or math.abs(score)
end

-- the places of an owner's records between two flags, and creations where they are given, oldest first
local function placesOf(owner, first, last, most)
  local t, begin = tag(owner), ofOwner(owner)
  local n, from, to = index(t, "/n"), "[" .. begin .. first, "(" .. begin .. last
  local places = redis.call("ZRANGEBYLEX", n, from, to, "LIMIT", 0, most or -1)
  for number, name in ipairs(places) do
    local created, id = string.sub(name, #begin + 2, #begin + 7), string.sub(name, #begin + 8)
    places[number] = {t = t, o = owner, created = created, id = id}
  end
  return places
end

-- the alive record at a place, or nil
local function living(place)
  local row = judge(follow(place.t, place.t .. place.id))
  if not row or row.d or row.o ~= place.o or stamp(row.c) ~= place.created then return nil end
  return row
end

-- sorts rows by the first of three fields in which they differ
local function sort(rows, ...)
  local fields = {...}
  table.sort(rows, function(x, y)
    for _, field in ipairs(fields) do
      if x[field] ~= y[field] then return x[field] < y[field] end
    end
    return false
  end)
end

-- every alive record of an owner but that of one handle, in order of creation
local function others(owner, skip)
  local rows = {}
  for _, place in ipairs(placesOf(owner, "0", "2")) do
    local row = deadline(place) > now and living(place)
    if row and row.h ~= skip then rows[#rows + 1] = row end
  end
  sort(rows, "c", "q")
  return rows
end
`;
