/** What the scripts that write have besides: records and tombstones, always in step with their indexes. */

/** Lua of the writing scripts. All that can fail is read before the first write. */
export const WRITING: string = String.raw`
-- how long an owner's generation is kept at least: 400 days, which no cookie outlives (RFC 6265bis 5.5)
local LONG = 400 * 86400000

-- bytes before what a touch and an endOwner change in a record: seenAt and expiresAt, and the
-- generation of the owner
local INSTANTS, OWNERS_GENERATION = 2, 22

-- writes a record as its row is; whatever follows is for schedule
local function write(row, ...)
  local owner, rest = row.o and string.sub(row.o, 4) or "", string.sub(row.key, 27)
  local packed = struct.pack(RECORD, "r1", row.s, row.e, row.g, row.og, row.v, row.c, row.a, row.q,
    #row.h, row.h, #owner, owner, #rest, rest)
  redis.call("SET", named(row.t, digest(row.key)), packed .. row.p, "PX", life(row.e + remember))
  schedule(row, ...)
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
  row.og = generation(row.o and known(ownersState(row.o)))
  write(row, 0, lead(short(row.t, row.h), digest(row.key)))
  outlive(index(row.t, "/i"), row.a + remember)
  outlive(index(row.t, "/n"), row.a + remember)
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
