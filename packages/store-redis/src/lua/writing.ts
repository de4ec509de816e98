/** What the scripts that write have besides: records, tombstones and their indexes, always in step. */

/** Lua of the writing scripts. All that can fail is read before the first write. */
export const WRITING: string = String.raw`
-- ms of slack; entries to sweep; how long an owner's generation is kept at least: 400 days, which
-- no cookie outlives (RFC 6265bis 5.5); how many endings of generations are remembered
local SLACK, SWEEP, LONG, ENDINGS = 60000, 20, 400 * 86400000, 8

local function least(x, y)
  return tonumber(x) < tonumber(y) and x or y
end

local function greatest(x, y)
  return tonumber(x) >= tonumber(y) and x or y
end

-- frees memory after an instant, and a minute of slack; says nothing about life
local function keep(name, instant, ...)
  redis.call("PEXPIRE", name, math.max(1, math.ceil(instant - now + SLACK)), ...)
end

-- sets a principal's place on the shelf by the latest of its deadlines
local function place(owner)
  local last = redis.call("ZRANGE", owned(owner), -1, -1, "WITHSCORES")[2]
  if last then
    redis.call("ZADD", shelf("p"), last, owner)
    redis.call("ZADD", shelf("w"), 0, owner)
  else
    redis.call("ZREM", shelf("p"), owner)
    redis.call("ZREM", shelf("w"), owner)
  end
end

-- sets the deadline of an alive record, in every index and for the memory it takes
local function schedule(row)
  redis.call("ZADD", shelf("a"), row.e, row.h)
  if row.o then
    redis.call("ZADD", owned(row.o), row.e, row.h)
    place(row.o)
  end
  keep(at("k", row.key), row.e + remember)
  keep(at("h", row.h), row.e + remember)
end

-- an index lives at least as long as each record that was ever in it
local function outlive(name, instant)
  keep(name, instant, "NX")
  keep(name, instant, "GT")
end

-- writes a new record and indexes it; owner and payload as they were given
local function put(row, payload)
  local name = at("k", row.key)
  redis.call("DEL", name)
  redis.call("HSET", name, "f", "1", "h", row.h, "v", row.v, "c", row.c, "s", row.s, "e", row.e,
    "a", row.a, "p", payload, "g", generation(shelf("e")), "q", redis.call("HINCRBY", shelf("e"), "q", 1))
  if row.o then redis.call("HSET", name, "o", row.o, "og", generation(at("g", row.o))) end
  redis.call("SET", at("h", row.h), row.key)
  redis.call("ZADD", shelf("l"), 0, row.h)
  schedule(row)
  for _, index in ipairs({"a", "l"}) do outlive(shelf(index), row.a + remember) end
  if not row.o then return end
  for _, index in ipairs({"p", "w"}) do outlive(shelf(index), row.a + remember) end
  outlive(owned(row.o), row.a + remember)
end

-- takes a record out of every index
local function unindex(row)
  redis.call("ZREM", shelf("a"), row.h)
  redis.call("ZREM", shelf("l"), row.h)
  if not row.o then return end
  redis.call("ZREM", owned(row.o), row.h)
  place(row.o)
end

-- makes a tombstone of a record; where it moved, its handle goes along
local function bury(row, ending, moved, grace)
  local stone = tombstone(row, ending, grace)
  local name = at("k", row.key)
  unindex(row)
  redis.call("DEL", name)
  redis.call("HSET", name, "f", "1", "h", stone.h, "c", stone.c, "e", stone.e, "d", stone.d)
  if stone.o then redis.call("HSET", name, "o", stone.o) end
  if moved then redis.call("HSET", name, "m", moved, "u", grace) end
  keep(name, stone.e)
  if not moved then keep(at("h", row.h), stone.e) end
  return stone
end

-- takes some of what has expired out of the indexes; fails before any write if one is no index
local function sweep(row)
  local over = {"-inf", ARGV[1], "LIMIT", 0, SWEEP}
  for scores, names in pairs({a = "l", p = "w"}) do
    local members = redis.call("ZRANGEBYSCORE", shelf(scores), unpack(over))
    if #members > 0 then
      redis.call("ZREM", shelf(scores), unpack(members))
      redis.call("ZREM", shelf(names), unpack(members))
    end
  end
  if row.o then redis.call("ZREMRANGEBYSCORE", owned(row.o), "-inf", ARGV[1]) end
end

-- fails if anything but the record to be replaced has the key or the handle
local function free(row, inherited)
  if judge(load(row.key)) then fail("SOJOURNEXISTS taken") end
  if row.h == inherited then return end
  local holder = redis.call("GET", at("h", row.h))
  if holder and judge(load(holder)) then fail("SOJOURNEXISTS taken") end
end

-- the records to evict so that one more fits, oldest or longest idle first; or nil and the number
local function admit(row, max, onLimit, skip)
  if not row.o or max == "" then return {} end
  local rows = others(row.o, skip)
  local excess = #rows + 1 - tonumber(max)
  if excess <= 0 then return {} end
  if onLimit == "reject" or tonumber(max) < 1 then return nil, #rows end
  if onLimit == "evict-idle" then sort(rows, "s", "c", "q") end
  local victims = {}
  for index = 1, excess do victims[index] = rows[index] end
  return victims
end

local function evict(victims, ending)
  local stones = {}
  for index, victim in ipairs(victims) do stones[index] = view(bury(victim, ending)) end
  return stones
end

-- begins the next generation of a shelf or an owner; the present one ended so
local function advance(name, ending)
  local newest = redis.call("HINCRBY", name, "n", 1)
  redis.call("HSET", name, newest - 1, ending)
  redis.call("HDEL", name, newest - 1 - ENDINGS)
  return newest
end

-- the alive record at a reference, at this version; or nil and what to answer
local function claim(what, id, version, follow)
  local old = find(what, id)
  if not old or old.d then return nil, {"gone", view(old)} end
  if what == "k" and old.key ~= id and not follow then return nil, {"moved", view(old)} end
  if tonumber(old.v) ~= tonumber(version) then return nil, {"conflict", view(old)} end
  return old
end

-- the new record that begins at an argument: key, handle, owner, version, four instants, payload
local function given(first)
  local row = {key = ARGV[first], h = ARGV[first + 1], v = ARGV[first + 3], c = ARGV[first + 4],
    s = ARGV[first + 5], e = ARGV[first + 6], a = ARGV[first + 7]}
  if ARGV[first + 2] ~= "" then row.o = ARGV[first + 2] end
  return row, ARGV[first + 8]
end
`;
