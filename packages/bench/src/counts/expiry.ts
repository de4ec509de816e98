/** What happens in a process while very many sessions of its memory store expire at once. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What was seen. */
export interface Expired {
  /** The longest turn of the event loop, in ms. */
  readonly longestBlock: number;
  /** The most sessions that one turn cleaned up. */
  readonly largestSlice: number;
  /** Until all were cleaned up, in ms. */
  readonly took: number;
  /** Sessions that are still alive. */
  readonly left: number;
}

/** Built: Node 20 runs no TypeScript. */
const PROGRAM = fileURLToPath(new URL("../../dist/process/expiry.js", import.meta.url));

/** Fills a memory store, lets everything expire, and counts, which cleans up first, in slices as the sweeper does. */
export async function expireAll(sessions: number): Promise<Expired> {
  const args = ["--expose-gc", "--max-old-space-size=4096", PROGRAM, String(sessions)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Expired;
}
