/** The scripts that change something, each one atom. */
import { script } from "./script.ts";
import type { Script } from "./script.ts";
import { WRITING } from "./writing.ts";

const write = (name: string, flags: string, body: string): Script =>
  script(name, flags, `${WRITING}${body}`);

/** Creates, admits and indexes. ARGV: max or nothing, onLimit, ending of the evicted, record. */
export const CREATE: Script = write(
  "create",
  "",
  String.raw`
local row, payload = given(7)
free(row)
local victims, active = admit(row, ARGV[4], ARGV[5])
if not victims then return {"refused", active} end
sweep(row)
local evicted = evict(victims, ARGV[6])
put(row, payload)
return {"created", evicted}
`,
);

/** Compare-and-set. ARGV: reference, version, seenAt, expiresAt, payload. */
export const UPDATE: Script = write(
  "update",
  "",
  String.raw`
local row, answer = claim(ARGV[4], ARGV[5], ARGV[6], true)
if not row then return answer end
row.v, row.s = string.format("%.0f", row.v + 1), greatest(row.s, ARGV[7])
row.e = greatest(row.e, least(ARGV[8], row.a))
redis.call("HSET", at("k", row.key), "v", row.v, "s", row.s, "e", row.e, "p", ARGV[9])
schedule(row)
return {"updated", view(row)}
`,
);

/** Moves seenAt and expiresAt forward. ARGV: reference, seenAt, expiresAt. */
export const TOUCH: Script = write(
  "touch",
  "allow-oom",
  String.raw`
local row = alive(ARGV[4], ARGV[5])
if not row then return 0 end
local seen, last = greatest(row.s, ARGV[6]), greatest(row.e, least(ARGV[7], row.a))
if seen == row.s and last == row.e then return 1 end
row.s, row.e = seen, last
redis.call("HSET", at("k", row.key), "s", seen, "e", last)
schedule(row)
return 1
`,
);

/** Puts a record in place of another. ARGV: reference, version, ending, end of grace, then as CREATE. */
export const REPLACE: Script = write(
  "replace",
  "",
  String.raw`
local old, answer = claim(ARGV[4], ARGV[5], ARGV[6])
if not old then return answer end
local row, payload = given(12)
free(row, old.h)
local victims, active = admit(row, ARGV[9], ARGV[10], old.h)
if not victims then return {"refused", active} end
sweep(row)
local evicted = evict(victims, ARGV[11])
if old.h == row.h then bury(old, ARGV[7], row.key, ARGV[8]) else bury(old, ARGV[7]) end
put(row, payload)
return {"replaced", evicted}
`,
);

/** Ends a record that another slot has replaced. ARGV: reference, version, ending. */
export const RETIRE: Script = write(
  "replace",
  "allow-oom",
  String.raw`
local old, answer = claim(ARGV[4], ARGV[5], ARGV[6])
if not old then return answer end
bury(old, ARGV[7])
return {"replaced"}
`,
);

/** Ends an alive record. ARGV: reference, ending. */
export const END: Script = write(
  "end",
  "allow-oom",
  String.raw`
local row = alive(ARGV[4], ARGV[5])
return row and view(bury(row, ARGV[6])) or false
`,
);

/** Ends an owner's records but one, also those that no index knows of. ARGV: owner, ending, handle or nothing. */
export const END_OWNER: Script = write(
  "endOwner",
  "allow-oom",
  String.raw`
local owner, ending, spare = ARGV[4], ARGV[5], ARGV[6]
local rows, name = others(owner, spare), at("g", owner)
local spared = spare ~= "" and alive("h", spare)
local left = redis.call("PTTL", owned(owner))
for _, row in ipairs(rows) do bury(row, ending) end
local newest = advance(name, ending)
keep(name, now + math.max(LONG, left))
if spared and spared.o == owner then redis.call("HSET", at("k", spared.key), "og", newest) end
return #rows
`,
);

/** Ends every record of a shelf. ARGV: ending. */
export const END_ALL: Script = write(
  "endAll",
  "allow-oom",
  String.raw`
advance(shelf("e"), ARGV[4])
redis.call("UNLINK", shelf("a"), shelf("l"), shelf("p"), shelf("w"))
return 1
`,
);

/** Takes a record out without a trace. ARGV: reference. */
export const CONSUME: Script = write(
  "consume",
  "allow-oom",
  String.raw`
local row = alive(ARGV[4], ARGV[5])
if not row then return false end
local taken = view(row)
unindex(row)
redis.call("DEL", at("k", row.key))
if redis.call("GET", at("h", row.h)) == row.key then redis.call("DEL", at("h", row.h)) end
return taken
`,
);
