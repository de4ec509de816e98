/** The scripts that change something, each one atom; UPDATE is one of several changes, each by itself. */
import { ADMITTING } from "./admitting.ts";
import { FINDING } from "./finding.ts";
import { INDEXING } from "./indexing.ts";
import { ORDINARY_UPDATE } from "./ordinary.ts";
import { script } from "./script.ts";
import type { Script } from "./script.ts";
import { WRITING } from "./writing.ts";

const write = (name: string, flags: string, body: string, ordinary?: string): Script =>
  script(name, flags, `${FINDING}${INDEXING}${WRITING}${body}`, ordinary);

const creating = (name: string, body: string): Script => write(name, "", ADMITTING + body);

const CREATING = String.raw`
local row = given(5)
free(row)
local victims, active = admit(row, ARGV[2], ARGV[3])
if not victims then return {"refused", active} end
sweep(row.t)
local evicted = buryAll(victims, ARGV[4])
put(row)
return {"created", evicted}
`;

/** Creates, admits and indexes. ARGV: max or nothing, onLimit, ending of the evicted, record. */
export const CREATE: Script = creating("create", CREATING);

/**
 * As CREATE, for a record made while Redis was away: not if its kind or its owner was ended since,
 * by clocks that may differ by 10 s.
 */
export const ADOPT: Script = creating(
  "adopt",
  String.raw`
local TOLERANCE = 10000
local new = given(5)
local present = judge(load(new.t, digest(new.key)))
if present and (present.d or present.h ~= new.h) then present = nil end
for _, name in ipairs({at(everywhere or new.t, "/e"), new.o and ownersState(new.o)}) do
  local _, endings = generation(redis.call("GET", name))
  for ending in string.gmatch(endings, "\n([^\n]+)") do
    if cjson.decode(ending).at >= new.c - TOLERANCE then
      if present then bury(present, ending) end
      return {"ended", ending}
    end
  end
end
if present then return {"present"} end
${CREATING}`,
);

/** Lua of a compare-and-set. */
const UPDATING = String.raw`
local function update(what, id, version, seenAt, expiresAt, payload)
  local row, answer = claim(what, id, version, true)
  if not row then return answer end
  row.v, row.s = row.v + 1, math.max(row.s, tonumber(seenAt))
  row.e, row.p = math.max(row.e, math.min(tonumber(expiresAt), row.a)), payload
  write(row)
  row.p = ""
  return {"updated", view(row)}
end
`;

/** Compare-and-set of some records, each by itself. ARGV, of each: key; version, seenAt and expiresAt in one; payload. */
export const UPDATE: Script = write(
  "update",
  "",
  String.raw`${UPDATING}
for place, it in ipairs(answers) do
  if not it then answers[place] = attempt(update, "k", change(place)) end
end
return answers
`,
  ORDINARY_UPDATE,
);

/** The same of the one at a handle. ARGV: handle, version, seenAt, expiresAt, payload. */
export const UPDATE_HANDLE: Script = write(
  "update",
  "",
  String.raw`${UPDATING}
return update("h", ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
`,
);

/** Moves seenAt and expiresAt forward. ARGV: reference, seenAt, expiresAt. */
export const TOUCH: Script = write(
  "touch",
  "allow-oom",
  String.raw`
local row = alive(ARGV[2], ARGV[3])
if not row then return 0 end
local seen = math.max(row.s, tonumber(ARGV[4]))
local last = math.max(row.e, math.min(tonumber(ARGV[5]), row.a))
if seen == row.s and last == row.e then return 1 end
row.s, row.e = seen, last
move(row)
return 1
`,
);

/** Puts a record in place of another. ARGV: reference, version, ending, end of grace, then as CREATE. */
export const REPLACE: Script = creating(
  "replace",
  String.raw`
local old, answer = claim(ARGV[2], ARGV[3], ARGV[4])
if not old then return answer end
local row = given(10)
free(row, old.h)
local victims, active = admit(row, ARGV[7], ARGV[8], old)
if not victims then return {"refused", active} end
sweep(row.t)
local evicted = buryAll(victims, ARGV[9])
if old.h == row.h then bury(old, ARGV[5], row.key, tonumber(ARGV[6])) else bury(old, ARGV[5]) end
put(row)
return {"replaced", evicted}
`,
);

/** Ends a record that another slot has replaced. ARGV: reference, version, ending. */
export const RETIRE: Script = write(
  "replace",
  "allow-oom",
  String.raw`
local old, answer = claim(ARGV[2], ARGV[3], ARGV[4])
if not old then return answer end
bury(old, ARGV[5])
return {"replaced"}
`,
);

/** Ends an alive record. ARGV: reference, ending. */
export const END: Script = write(
  "end",
  "allow-oom",
  String.raw`
local row = alive(ARGV[2], ARGV[3])
return row and view(bury(row, ARGV[4])) or false
`,
);

/** Ends an owner's records, also those that no index knows of, but one that is alive. ARGV: owner, ending, handle or nothing. */
export const END_OWNER: Script = write(
  "endOwner",
  "allow-oom",
  String.raw`
local owner, ending, spare = ARGV[2], ARGV[3], ARGV[4]
local rows, name = others(owner, spare), ownersState(owner)
local spared = spare ~= "" and alive("h", spare)
if spare ~= "" and not (spared and spared.o == owner) then return false end
local left = redis.call("PTTL", index(here, "/n"))
buryAll(rows, ending)
for _, place in ipairs(placesOf(owner, "0", "2")) do
  if place.t .. place.id ~= spare then lapse(place) end
end
local newest = advance(name, ending)
redis.call("PEXPIRE", name, life(now + math.max(LONG, left)))
if spared then
  local place = struct.pack("<I4", newest)
  redis.call("SETRANGE", named(here, digest(spared.key)), OWNERS_GENERATION, place)
end
return #rows
`,
);

/** Ends every record of a kind, or of a kind and a tag in a cluster. ARGV: ending. */
export const END_ALL: Script = write(
  "endAll",
  "allow-oom",
  String.raw`
advance(at(here, "/e"), ARGV[2])
return 1
`,
);

/** Takes a record out without a trace. ARGV: reference. */
export const CONSUME: Script = write(
  "consume",
  "allow-oom",
  String.raw`
local row = alive(ARGV[2], ARGV[3])
if not row then return false end
local taken = view(row)
unindex(row)
redis.call("DEL", named(row.t, digest(row.key)))
return taken
`,
);
