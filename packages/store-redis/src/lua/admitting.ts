/** What the scripts that create have besides: whether there is room for a record, and who makes it. */

/**
 * Lua of the limits. Without one, or while there is room, an owner's records are counted by two commands.
 * `evict-oldest` reads those that have to go, however many there are; `evict-idle`, for which
 * there is no index, and `reject`, which looks at each before it refuses, read all of the owner's.
 */
export const ADMITTING: string = String.raw`
-- fails if anything but the record to be replaced has the key or the handle
local function free(row, inherited)
  if judge(load(row.t, digest(row.key))) then fail("SOJOURNEXISTS taken") end
  if row.h == inherited then return end
  local holder, elsewhere = follow(row.t, row.h)
  if elsewhere or judge(holder) then fail("SOJOURNEXISTS taken") end
end

-- how many too many an owner has with one more and without the record to be replaced, by the index
local function excess(owner, max, old)
  local n, begin = index(tag(owner), "/n"), ofOwner(owner)
  local number = redis.call("ZLEXCOUNT", n, "[" .. begin .. "0", "(" .. begin .. "2") + 1 - max
  if not old or old.o ~= owner then return number end
  local place = placeOf(old)
  local scores = redis.call("ZMSCORE", n, entry(place, "0"), entry(place, "1"))
  return (scores[1] or scores[2]) and number - 1 or number
end

-- the places of an owner's oldest but for the record to be replaced: so many, and whatever else was created in
-- the ms of the last one
local function oldestOf(owner, number, old)
  local skip = old and old.o == owner and short(old.t, old.h)
  local counted = placesOf(owner, "0", "1", 1)[1]
  local function sorted(places)
    local some = {}
    places[#places + 1] = counted
    for _, place in ipairs(places) do
      if place.id ~= skip then some[#some + 1] = place end
    end
    sort(some, "created")
    return some
  end
  local found = placesOf(owner, "1", "2", number + 2)
  local following = found[number + 2]
  local places = sorted(found)
  local last = places[math.min(number, #places)].created
  if following and following.created == last then
    places = sorted(placesOf(owner, "1", "1" .. last .. "\255"))
  end
  while places[#places].created > last do places[#places] = nil end
  return places
end

-- the first of some rows
local function first(rows, number)
  local some = {}
  for each = 1, number do some[each] = rows[each] end
  return some
end

-- the oldest records, as many as are too many; whatever stands among them and is not alive makes room
local function oldest(owner, max, old, number)
  while number > 0 do
    local rows, lapsed = {}, false
    for _, place in ipairs(oldestOf(owner, number, old)) do
      local row = living(place)
      rows[#rows + 1] = row
      if not row then
        lapse(place)
        lapsed = true
      end
    end
    if not lapsed then
      sort(rows, "c", "q")
      return first(rows, number)
    end
    number = excess(owner, max, old)
  end
  return {}
end

-- the records to evict so that one more fits, oldest or longest idle first; or nil and the number
local function admit(row, max, onLimit, old)
  if not row.o or max == "" then return {} end
  max = tonumber(max)
  local number = excess(row.o, max, old)
  if number <= 0 then return {} end
  while retire(row.t, now) > 0 do number = excess(row.o, max, old) end
  if onLimit == "evict-oldest" and max >= 1 then return oldest(row.o, max, old, number) end
  local rows = others(row.o, old and old.h)
  number = #rows + 1 - max
  if number <= 0 then return {} end
  if onLimit == "reject" or max < 1 then return nil, #rows end
  sort(rows, "s", "c", "q")
  return first(rows, number)
end
`;
