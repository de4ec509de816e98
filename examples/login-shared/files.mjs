/** Small private files, written whole or not at all. */
import { open, readFile, rename } from "node:fs/promises";

/** The text of a file, or null where there is none. */
export async function readIfThere(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

/** Replaces a file in one step: temporary file, fsync, rename. Only the owner may read it. */
export async function writeAtomically(path, text) {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
