/** Who holds a lock, and whether that process is still there. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { z } from "zod";
import { systemCode } from "./errors.ts";

/** A holder that cannot be looked at is gone when it has not touched its lock for 30 s. */
export const HOLDER_FORGOTTEN_MS = 30_000;

/** What a lock file says about the process that made it. */
export interface HolderProcess {
  readonly pid: number;
  readonly hostname: string;
  /** Boot and process-id namespace: where `pid` means something. Null where unknown. */
  readonly machine: string | null;
  /** Start of the process in clock ticks since boot: a reused pid has another. Null where unknown. */
  readonly startedAt: string | null;
  /** Names this one lock. */
  readonly nonce: string;
}

const holderSchema: z.ZodType<HolderProcess> = z.strictObject({
  pid: z.number().int(),
  hostname: z.string(),
  machine: z.string().nullable(),
  startedAt: z.string().nullable(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});

/** A lock file as found. `process` is null when its content is no lock of ours (or half-written). */
export interface FoundHolder {
  /** Names this one lock: its nonce, or a hash of the file where it has none. */
  readonly id: string;
  readonly process: HolderProcess | null;
  /** When it was last touched, by the file system. */
  readonly touchedAt: number;
}

/** This process, as it goes into a lock file. */
export async function thisProcess(nonce: string): Promise<HolderProcess> {
  return {
    pid: process.pid,
    hostname: hostname(),
    machine: await thisMachine(),
    startedAt: (await processFacts(process.pid))?.startedAt ?? null,
    nonce,
  };
}

/** Reads a lock file; null when there is none. Does not follow a symbolic link. */
export async function readHolder(path: string): Promise<FoundHolder | null> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
  try {
    const { ino, mtimeMs } = await handle.stat();
    const content = await handle.readFile("utf8");
    const process = parse(content);
    return {
      id: process?.nonce ?? fingerprint(content, ino, mtimeMs),
      process,
      touchedAt: mtimeMs,
    };
  } finally {
    await handle.close();
  }
}

/** True if the process that made this lock is gone for certain. */
export async function isStale(holder: FoundHolder): Promise<boolean> {
  const forgotten = Date.now() - holder.touchedAt > HOLDER_FORGOTTEN_MS;
  const { process: made } = holder;
  if (!made || made.hostname !== hostname() || made.machine !== (await thisMachine())) {
    return forgotten;
  }
  if (!isRunning(made.pid)) return true;
  const facts = await processFacts(made.pid);
  if (facts && made.startedAt !== null) return facts.dead || facts.startedAt !== made.startedAt;
  return made.pid === process.pid && forgotten;
}

/** The holder in words for a message. */
export function describe(holder: FoundHolder): string {
  if (!holder.process) return "a process that did not leave its name";
  const { pid, hostname: host } = holder.process;
  if (pid === process.pid && host === hostname())
    return `this process (pid ${pid} on host ${host})`;
  return `process ${pid} on host ${host}`;
}

function parse(content: string): HolderProcess | null {
  try {
    return holderSchema.safeParse(JSON.parse(content)).data ?? null;
  } catch {
    return null;
  }
}

function fingerprint(content: string, ino: number, mtimeMs: number): string {
  return createHash("sha256").update(`${ino} ${mtimeMs} ${content}`).digest("hex").slice(0, 32);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

/** Two containers may share a host name, but not this. */
async function thisMachine(): Promise<string | null> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** From /proc/<pid>/stat (proc(5)): field 3 is the state, field 22 the start in clock ticks. */
async function processFacts(pid: number): Promise<{ dead: boolean; startedAt: string } | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const startedAt = rest[18];
    return startedAt === undefined ? null : { dead: state === "Z" || state === "X", startedAt };
  } catch {
    return null;
  }
}
