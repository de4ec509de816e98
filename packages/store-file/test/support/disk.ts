/** A disk that counts, remembers the order of calls, and fails on demand. */
import type { FileHandle } from "node:fs/promises";
import { journalFile } from "../../src/files.ts";
import type { JournalFile } from "../../src/files.ts";

type Call = "write" | "sync" | "truncate";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected by the test`), { code });
}

/** Wraps real files. Everything passes until a limit is set. */
export class TestDisk {
  readonly calls: Call[] = [];
  /** Files opened: the first, and one for each compaction. */
  files = 0;
  /** Bytes that still fit; the write that passes it is short, the next one fails. */
  room = Infinity;
  /** Calls that fail with EIO. */
  readonly broken = new Set<Call>();
  /** Awaited before each sync. */
  beforeSync: () => Promise<void> = async () => {};

  /** How often a call was made. */
  count(call: Call): number {
    return this.calls.filter((made) => made === call).length;
  }

  /** Makes every sync wait until the returned function is called. */
  holdSyncs(): () => void {
    let open: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.beforeSync = () => gate;
    return () => open?.();
  }

  readonly wrap = (handle: FileHandle): JournalFile => {
    const real = journalFile(handle);
    this.files += 1;
    return {
      write: async (bytes, offset, position) => {
        this.#note("write");
        if (this.room <= 0) throw systemError("ENOSPC");
        const fits = Math.min(bytes.length, offset + this.room);
        const written = await real.write(bytes.subarray(0, fits), offset, position);
        this.room -= written;
        return written;
      },
      sync: async () => {
        await this.beforeSync();
        this.#note("sync");
        await real.sync();
      },
      truncate: async (length) => {
        this.#note("truncate");
        await real.truncate(length);
      },
      close: () => real.close(),
    };
  };

  #note(call: Call): void {
    this.calls.push(call);
    if (this.broken.has(call)) throw systemError("EIO");
  }
}
