/** What the scripts that write have besides: records, tombstones and their indexes, always in step. */

/** Lua of the writing scripts. All that can fail is read before the first write. */
export const WRITING: string = String.raw`
-- ms of slack; entries to sweep; how long an owner's generation is kept at least: 400 days, which
-- no cookie outlives (RFC 6265bis 5.5); as good as for ever
local SLACK, SWEEP, LONG, EVER = 60000, 20, 400 * 86400000, 1e14

-- bytes before what a touch and an endOwner change in a record: seenAt and expiresAt, and the
-- generation of the owner
local INSTANTS, OWNERS_GENERATION = 2, 22

-- for so long something is kept that is needed until an instant; says nothing about life
local function life(instant)
  return string.format("%.0f", math.min(EVER, math.max(1, math.ceil(instant - now + SLACK))))
end

-- an index lives at least as long as each record that was ever in it
local function outlive(name, instant)
  local ms = life(instant)
  redis.call("PEXPIRE", name, ms, "NX")
  redis.call("PEXPIRE", name, ms, "GT")
end

-- sets the flag of a record, and its score by it
local function flag(row, from, to)
  local id, n, score = short(row.t, row.h), index(row.t, "/n"), math.max(0, row.e)
  redis.call("ZREM", n, entry(row.o, from, id))
  redis.call("ZADD", n, 0, entry(row.o, to, id))
  redis.call("ZADD", index(row.t, "/i"), text(to == "0" and -score or score), member(id, row.o))
end

-- sets the deadline of an alive record in the index, and what its owner is counted by
local function schedule(row)
  local id = short(row.t, row.h)
  if not row.o then
    return redis.call("ZADD", index(row.t, "/i"), text(math.max(0, row.e)), id)
  end
  local first, last = "[" .. entry(row.o, "0", ""), "(" .. entry(row.o, "1", "")
  local name = redis.call("ZRANGEBYLEX", index(row.t, "/n"), first, last, "LIMIT", 0, 1)[1]
  local longest = {t = row.t, o = row.o, h = name and row.t .. string.sub(name, #first)}
  if not name then return flag(row, "1", "0") end
  if longest.h == row.h then
    return redis.call("ZADD", index(row.t, "/i"), text(-math.max(0, row.e)), member(id, row.o))
  end
  longest.e = deadline(row.t, short(row.t, longest.h), row.o)
  if longest.e >= row.e then return flag(row, "0", "1") end
  flag(longest, "0", "1")
  flag(row, "1", "0")
end

-- writes a record as its row is
local function write(row)
  local owner, rest = row.o and string.sub(row.o, 4) or "", string.sub(row.key, 27)
  local packed = struct.pack(RECORD, "r1", row.s, row.e, row.g, row.og, row.v, row.c, row.a, row.q,
    #row.h, row.h, #owner, owner, #rest, rest)
  redis.call("SET", named(row.t, digest(row.key)), packed .. row.p, "PX", life(row.e + remember))
  schedule(row)
end

-- writes the instants of a record where they are
local function move(row)
  local name = named(row.t, digest(row.key))
  redis.call("SETRANGE", name, INSTANTS, struct.pack("<dd", row.s, row.e))
  redis.call("PEXPIRE", name, life(row.e + remember))
  schedule(row)
end

-- writes a new record and indexes it
local function put(row)
  local clock = redis.call("TIME")
  row.q = tonumber(clock[1]) * 1e6 + tonumber(clock[2])
  row.g = generation(state(row.t))
  row.og = generation(row.o and redis.call("GET", ownersState(row.o)))
  write(row)
  redis.call("ZADD", index(row.t, "/n"), 0, lead(short(row.t, row.h), digest(row.key)))
  outlive(index(row.t, "/i"), row.a + remember)
  outlive(index(row.t, "/n"), row.a + remember)
end

-- takes a record out of every index
local function unindex(row)
  local id, i, n = short(row.t, row.h), index(row.t, "/i"), index(row.t, "/n")
  redis.call("ZREM", i, member(id, row.o))
  redis.call("ZREM", n, lead(id, digest(row.key)))
  if not row.o then return end
  redis.call("ZREM", n, entry(row.o, "1", id))
  if redis.call("ZREM", n, entry(row.o, "0", id)) == 0 then return end
  local longest = {t = row.t, o = row.o, e = 0}
  for _, other in ipairs(owned(row.o)) do
    local instant = deadline(row.t, other, row.o)
    if instant > longest.e then longest.h, longest.e = row.t .. other, instant end
  end
  if longest.h then flag(longest, "1", "0") end
end

-- makes a tombstone of a record; where it moved, its handle goes along
local function bury(row, ending, moved, grace)
  local stone = tombstone(row, ending, grace)
  local owner, rest = row.o and string.sub(row.o, 4) or "", string.sub(row.key, 27)
  local packed = struct.pack(STONE, "t1", stone.c, stone.e, grace or 0,
    #row.h, row.h, #owner, owner, #rest, rest, #(moved or ""), moved or "")
  unindex(row)
  redis.call("SET", named(row.t, digest(row.key)), packed .. ending, "PX", life(stone.e))
  if not moved then
    redis.call("SET", at(row.t, "/h:" .. row.h), row.key, "NX", "PX", life(stone.e))
  end
  return stone
end

-- takes out of the indexes some of what expired and is forgotten; fails before any write if one is
-- no index
local function sweep(row)
  local i, n, last = index(row.t, "/i"), index(row.t, "/n"), now - remember - SLACK
  redis.call("ZCARD", n)
  for _, name in ipairs(redis.call("ZRANGEBYSCORE", i, text(-last), text(last), "LIMIT", 0, SWEEP)) do
    local id, principal = string.match(name, "^(%Z*)%z?(.*)$")
    local owner = row.t .. "." .. principal
    redis.call("ZREM", i, name)
    redis.call("ZREM", n, entry(owner, "0", id), entry(owner, "1", id))
    redis.call("ZREMRANGEBYLEX", n, "[" .. lead(id, ""), "(" .. lead(id, "\255"))
  end
end

-- fails if anything but the record to be replaced has the key or the handle
local function free(row, inherited)
  if judge(load(row.t, digest(row.key))) then fail("SOJOURNEXISTS taken") end
  if row.h == inherited then return end
  local holder, elsewhere = follow(row.t, row.h)
  if elsewhere or judge(holder) then fail("SOJOURNEXISTS taken") end
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
  for place = 1, excess do victims[place] = rows[place] end
  return victims
end

-- ends records, those that live longest last: so the one that their owner is counted by changes once
local function buryAll(rows, ending)
  local sorted, stones, views = {}, {}, {}
  for place, row in ipairs(rows) do sorted[place] = row end
  sort(sorted, "e", "c", "q")
  for _, row in ipairs(sorted) do stones[row.key] = bury(row, ending) end
  for place, row in ipairs(rows) do views[place] = view(stones[row.key]) end
  return views
end

-- begins the next generation of a kind or an owner; the present one ended so
local function advance(name, ending)
  local number, endings = generation(redis.call("GET", name))
  local lines = {string.format("%.0f", number + 1), ending}
  for each in string.gmatch(endings, "\n([^\n]+)") do
    if #lines <= ENDINGS then lines[#lines + 1] = each end
  end
  redis.call("SET", name, table.concat(lines, "\n"), "KEEPTTL")
  return number + 1
end

-- the alive record at a reference, at this version; or nil and what to answer
local function claim(what, id, version, follow)
  local old = find(what, id)
  if not old or old.d then return nil, {"gone", view(old)} end
  if what == "k" and old.key ~= id and not follow then return nil, {"moved", view(old)} end
  if old.v ~= tonumber(version) then return nil, {"conflict", view(old)} end
  return old
end

-- the new record that begins at an argument: key, handle, owner, version, four instants, payload
local function given(first)
  local row = {t = tag(ARGV[first]), key = ARGV[first], h = ARGV[first + 1], p = ARGV[first + 8]}
  for place, field in ipairs({"v", "c", "s", "e", "a"}) do
    row[field] = tonumber(ARGV[first + 2 + place])
  end
  if ARGV[first + 2] ~= "" then row.o = ARGV[first + 2] end
  return row
end
`;
