/** Lua scripts, and what Redis 7 knows of one: flags, source and the hash that it is called by. */
import { createHash } from "node:crypto";
import { BASICS } from "./basics.ts";
import { PRELUDE } from "./prelude.ts";

/** One operation. */
export interface Script {
  /** The operation, for messages. */
  readonly name: string;
  /** As in the manual: `no-writes`; `allow-oom` for what must work when the memory is full; empty for the rest. */
  readonly flags: string;
  readonly body: string;
}

/** A script as Redis knows it: the one of a store. */
export interface StoreScript {
  readonly source: string;
  /** What it is called by. */
  readonly sha: string;
}

/** What a store tells all its scripts: in their source, for an argument takes time in each run. */
export interface Constants {
  /** For how long the expired are remembered, in ms. */
  readonly remember: number;
  /** The tag that the generations of kinds are kept under; null: each tag has its own, as in a cluster. */
  readonly everywhere: string | null;
}

/** A script with the shared functions before its body, and `ordinary` before those. */
export function script(name: string, flags: string, body: string, ordinary: string = ""): Script {
  return { name, flags, body: `${BASICS}${ordinary}${PRELUDE}${body}` };
}

/** The script for one store. */
export function storeScript(
  { flags, body }: Script,
  { remember, everywhere }: Constants,
): StoreScript {
  const tag = everywhere === null ? "nil" : `"${everywhere}"`;
  const source = `#!lua flags=${flags}\nlocal remember, everywhere = ${remember}, ${tag}\n${body}`;
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}
