/** A torn tail: the unfinished last line of a process that died while writing. */
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { asideName, createPrivateFile, syncDirectory } from "./files.ts";
import type { ParsedOptions } from "./options.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Keeps the bytes from `length` on in `<path>.torn-<time>`, then cuts them off. No operation that
 * was acknowledged is in them: an acknowledged line is complete.
 */
export async function setTornTailAside(
  handle: FileHandle,
  length: number,
  tornBytes: number,
  { path, clock, onWarning }: ParsedOptions,
): Promise<void> {
  const aside = await asideName(path, "torn", clock.now());
  await copyTail(handle, length, aside);
  await syncDirectory(dirname(path));
  await handle.truncate(length);
  await handle.sync();
  onWarning(
    `The session file ${path} ended in ${tornBytes} bytes of an unfinished write; ` +
      `they are now in ${aside}, which may be deleted`,
  );
}

async function copyTail(from: FileHandle, start: number, path: string): Promise<void> {
  const to = await createPrivateFile(path);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = start; ;) {
      const { bytesRead } = await from.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      await to.writeFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    await to.sync();
  } finally {
    await to.close();
  }
}
