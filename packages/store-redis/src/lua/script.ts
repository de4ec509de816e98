/** A Lua script as Redis 7 knows it: flags, source and the hash that it is called by. */
import { createHash } from "node:crypto";
import { BASICS } from "./basics.ts";
import { PRELUDE } from "./prelude.ts";

/** One operation. */
export interface Script {
  /** The operation, for messages. */
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/**
 * A script with the shared functions before its body, and `ordinary` before those. `flags` as in the manual: `no-writes`;
 * `allow-oom` for what must work when the memory is full; empty for the rest.
 */
export function script(name: string, flags: string, body: string, ordinary: string = ""): Script {
  const source = `#!lua flags=${flags}\n${BASICS}${ordinary}${PRELUDE}${body}`;
  return { name, source, sha: createHash("sha1").update(source).digest("hex") };
}
