/** What the scripts that write have besides to keep the indexes in step with the records; see finding.ts. */

/** Lua that writes the indexes. Nothing of it reads a record. */
export const INDEXING: string = String.raw`
-- entries to sweep; so many of an owner are few
local SWEEP, FEW = 20, 100

-- an index lives at least as long as each record that was ever in it
local function outlive(name, instant)
  local ms = life(instant)
  redis.call("PEXPIRE", name, ms, "NX")
  redis.call("PEXPIRE", name, ms, "GT")
end

-- sets a deadline; a negative sign where it is what an owner is counted by
local function score(place, sign, instant)
  local number = text(sign * math.max(0, math.min(instant, EVER)))
  redis.call("ZADD", index(place.t, "/i"), number, member(place))
end

-- sets the flag of a record, and its score by it
local function flag(place, from, to, instant)
  local n = index(place.t, "/n")
  redis.call("ZREM", n, entry(place, from))
  redis.call("ZADD", n, 0, entry(place, to))
  score(place, to == "0" and -1 or 1, instant)
end

-- sets the deadline of an alive record in the index, and what its owner is counted by
local function schedule(row)
  local place = placeOf(row)
  if not row.o then return score(place, 1, row.e) end
  local longest = placesOf(row.o, "0", "1", 1)[1]
  if not longest then return flag(place, "1", "0", row.e) end
  if member(longest) == member(place) then return score(place, -1, row.e) end
  local last = deadline(longest)
  if last >= row.e then return flag(place, "0", "1", row.e) end
  flag(longest, "0", "1", last)
  flag(place, "1", "0", row.e)
end

-- of an owner's records, none of which has the flag, the one that lives longest, and until when: of few
-- each is looked at, those of many are soon met among the tag's that live longest
local function longestOf(owner)
  local places, longest, last = placesOf(owner, "1", "2", FEW + 1), nil, 0
  if #places <= FEW then
    for _, place in ipairs(places) do
      local instant = deadline(place)
      if instant > last then longest, last = place, instant end
    end
    return longest, last
  end
  local t, from = tag(owner), 0
  repeat
    local found = redis.call("ZREVRANGE", index(t, "/i"), from, from + FEW - 1, "WITHSCORES")
    for each = 1, #found, 2 do
      local place, instant = placeIn(t, found[each]), tonumber(found[each + 1])
      if instant <= now then return nil end
      if place.o == owner then return place, instant end
    end
    from = from + FEW
  until #found == 0
end

-- takes a record from its owner, who is then counted by the one that lives longest of the others
local function disown(place)
  local n = index(place.t, "/n")
  redis.call("ZREM", n, entry(place, "1"))
  if redis.call("ZREM", n, entry(place, "0")) == 0 then return end
  local longest, last = longestOf(place.o)
  if longest then flag(longest, "1", "0", last) end
end

-- takes a record out of every index
local function unindex(row)
  local place = placeOf(row)
  redis.call("ZREM", index(row.t, "/i"), member(place))
  redis.call("ZREM", index(row.t, "/n"), lead(place.id, digest(row.key)))
  if row.o then disown(place) end
end

-- an entry whose record is not alive, whatever its deadline: it waits to be forgotten
local function lapse(place)
  redis.call("ZADD", index(place.t, "/i"), text(now - OVER), member(place))
  disown(place)
end

-- the same for what expired by an instant, at most SWEEP of it; answers how much it was. Of an owner
-- whose longest-lived has expired, all have
local function retire(t, last)
  local i, n = index(t, "/i"), index(t, "/n")
  local found = redis.call("ZRANGEBYSCORE", i, text(-last), text(last), "WITHSCORES", "LIMIT", 0, SWEEP)
  for each = 1, #found, 2 do
    local place = placeIn(t, found[each])
    redis.call("ZADD", i, text(math.abs(found[each + 1]) - OVER), found[each])
    if place.o then redis.call("ZREM", n, entry(place, "0"), entry(place, "1")) end
  end
  return #found / 2
end

-- retires some of what expired a while ago, by any clock, and takes out some of what is forgotten;
-- fails before any write if one is no index
local function sweep(t)
  local i, n = index(t, "/i"), index(t, "/n")
  redis.call("ZCARD", n)
  retire(t, now - SLACK)
  local last = text(now - remember - SLACK - OVER)
  for _, name in ipairs(redis.call("ZRANGEBYSCORE", i, "-inf", last, "LIMIT", 0, SWEEP)) do
    local id = placeIn(t, name).id
    redis.call("ZREM", i, name)
    redis.call("ZREMRANGEBYLEX", n, "[" .. lead(id, ""), "(" .. lead(id, "\255"))
  end
end
`;
