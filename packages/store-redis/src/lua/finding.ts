/** What the scripts have besides that find records by handle or owner: the two indexes of a tag. */

/**
 * Lua of the indexes, both sorted sets, so that a small one is a packed list. Each has the number of
 * its kind's generation in its name: what endAll ended is in one that nobody counts any more.
 * - `/i<n>` has the alive records by deadline. The score of one for each owner is negative: the one
 *   that lives longest. So the negative ones in the future are the owners with alive records.
 * - `/n<n>` has names: handles, which lead to records, and the handles of each owner.
 */
export const FINDING: string = String.raw`
-- the endings of generations that are remembered
local ENDINGS = 8

local function index(t, what)
  local number = generation(state(t))
  return at(t, what .. number)
end

-- a handle without the tag that the name of its index has already
local function short(t, handle)
  return tag(handle) == t and string.sub(handle, 4) or handle
end

-- in /i: a record
local function member(id, owner)
  return owner and id .. "\0" .. string.sub(owner, 5) or id
end

-- in /n: a handle leads to a record
local function lead(id, to)
  return "h" .. id .. "\0" .. to
end

-- in /n: an owner has a handle; flag 0 for the one with the negative score, 1 for the others
local function entry(owner, flag, id)
  return "o" .. string.gsub(string.sub(owner, 5), "%z", "\0002") .. "\0" .. flag .. id
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

-- the deadline of a record in its index, 0: it has none
local function deadline(t, id, owner)
  return math.abs(tonumber(redis.call("ZSCORE", index(t, "/i"), member(id, owner)) or 0))
end

-- the short handles of an owner
local function owned(owner)
  local first, last = "[" .. entry(owner, "0", ""), "(" .. entry(owner, "2", "")
  local ids = redis.call("ZRANGEBYLEX", index(tag(owner), "/n"), first, last)
  for place, name in ipairs(ids) do ids[place] = string.sub(name, #first) end
  return ids
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
  local rows, t = {}, tag(owner)
  for _, id in ipairs(owned(owner)) do
    local row = deadline(t, id, owner) > now and judge(follow(t, t .. id))
    if row and not row.d and row.o == owner and row.h ~= skip then rows[#rows + 1] = row end
  end
  sort(rows, "c", "q")
  return rows
end
`;
