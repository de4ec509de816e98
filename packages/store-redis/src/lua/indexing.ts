/** What the scripts that write have besides to keep the indexes in step with the records; see finding.ts. */

/** Lua that writes the indexes. Nothing of it reads a record. */
export const INDEXING: string = String.raw`
-- entries to sweep; so many of an owner are few; ms
local SWEEP, FEW, HOUR = 20, 100, 3600000

-- an index lives at least as long as each record that was ever in it; an hour more, so that the next one
-- need not make it live longer
local function outlive(name, instant)
  if redis.call("PTTL", name) >= instant - now + SLACK then return end
  redis.call("PEXPIRE", name, life(instant + HOUR))
end

-- indexes a record by its deadline beside the one that its owner is counted by; or in place of it, or of none
local function compete(place, instant, longest, ...)
  local i, n = index(place.t, "/i"), index(place.t, "/n")
  local last = longest and deadline(longest) or 0
  if last >= instant then
    redis.call("ZADD", i, score(1, instant), member(place))
    redis.call("ZADD", n, 0, entry(place, "1"), ...)
  elseif longest then
    redis.call("ZADD", i, score(-1, instant), member(place), score(1, last), member(longest))
    redis.call("ZREM", n, entry(place, "1"), entry(longest, "0"))
    redis.call("ZADD", n, 0, entry(place, "0"), 0, entry(longest, "1"), ...)
  else
    redis.call("ZADD", i, score(-1, instant), member(place))
    redis.call("ZREM", n, entry(place, "1"))
    redis.call("ZADD", n, 0, entry(place, "0"), ...)
  end
end

-- sets the deadline of an alive record in the index, and by which its owner is counted; whatever scores and
-- names follow come into /n with it
local function schedule(row, ...)
  local place = placeOf(row)
  local longest = row.o and placesOf(row.o, "0", "1", 1)[1]
  if row.o and not (longest and member(longest) == member(place)) then
    return compete(place, row.e, longest, ...)
  end
  redis.call("ZADD", index(row.t, "/i"), score(row.o and -1 or 1, row.e), member(place))
  if ... then redis.call("ZADD", index(row.t, "/n"), ...) end
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

-- takes a record from its owner, who is then counted by the one that lives longest of the others; whatever
-- names follow go out of /n with it
local function disown(place, ...)
  local n = index(place.t, "/n")
  redis.call("ZREM", n, entry(place, "1"), ...)
  if redis.call("ZREM", n, entry(place, "0")) == 0 then return end
  local longest, last = longestOf(place.o)
  if longest then compete(longest, last) end
end

-- takes a record out of every index
local function unindex(row)
  local place = placeOf(row)
  local name = lead(place.id, digest(row.key))
  redis.call("ZREM", index(row.t, "/i"), member(place))
  if row.o then disown(place, name) else redis.call("ZREM", index(row.t, "/n"), name) end
end

-- an entry whose record is not alive, whatever its deadline: it waits to be forgotten
local function lapse(place)
  redis.call("ZADD", index(place.t, "/i"), text(now - OVER), member(place))
  disown(place)
end

-- the same for what expired by an instant, at most SWEEP of it; answers how much it was. Of an owner
-- whose longest-lived has expired, all have
local retired = {}
local function retire(t, last)
  if last <= (retired[t] or -EVER) then return 0 end
  local i, n = index(t, "/i"), index(t, "/n")
  local found = redis.call("ZRANGEBYSCORE", i, text(-last), text(last), "WITHSCORES", "LIMIT", 0, SWEEP)
  for each = 1, #found, 2 do
    local place = placeIn(t, found[each])
    redis.call("ZADD", i, text(math.abs(found[each + 1]) - OVER), found[each])
    if place.o then redis.call("ZREM", n, entry(place, "0"), entry(place, "1")) end
  end
  local number = #found / 2
  if number < SWEEP then retired[t] = last end
  return number
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
