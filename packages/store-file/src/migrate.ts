/** Files of earlier formats. Version 0, the pre-release: one JSON document with all records. */
import { readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { StoredRecord } from "@sojourn/core/store";
import { recordSchema } from "./effects.ts";
import { systemCode } from "./errors.ts";
import { createPrivateFile, freeName, syncDirectory } from "./files.ts";

const LARGEST_DOCUMENT = 256 * 1024 * 1024;
const documentSchema: z.ZodType<{ version: 0; records: StoredRecord[] }> = z.strictObject({
  version: z.literal(0),
  records: z.array(recordSchema),
});

/** A file of version 0: its records, and its bytes for the backup. */
export interface VersionZero {
  readonly records: readonly StoredRecord[];
  readonly bytes: Uint8Array;
}

/** Reads a file as version 0; null when it is something else. The file is only read. */
export async function readVersionZero(handle: FileHandle): Promise<VersionZero | null> {
  const { size } = await handle.stat();
  if (size > LARGEST_DOCUMENT) return null;
  const bytes = Buffer.alloc(size);
  for (let read = 0; read < size;) {
    const { bytesRead } = await handle.read(bytes, read, size - read, read);
    if (bytesRead === 0) return null;
    read += bytesRead;
  }
  const document = documentSchema.safeParse(parse(bytes));
  return document.success ? { records: document.data.records, bytes } : null;
}

/** Keeps the original bytes as `<path>.v0.bak`, durably, before the file is rewritten. */
export async function keepOriginal(path: string, bytes: Uint8Array): Promise<void> {
  const backup = `${path}.v0.bak`;
  if (await isSame(backup, bytes)) return;
  const handle = await createPrivateFile(await freeName(backup));
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(path));
}

async function isSame(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return (await readFile(path)).equals(bytes);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
