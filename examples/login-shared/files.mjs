/** Small private files, written whole or not at all. */
import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";

/** The text of a file, or null where there is none. */
export async function readIfThere(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

/** Replaces a file in one step. Only the owner may read it. */
export async function writeAtomically(path, text) {
  await rename(await writeTemporary(path, text), path);
}

/** Makes a file in one step; false where there is one already, whichever process made it. */
export async function createAtomically(path, text) {
  const temporary = await writeTemporary(path, text);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary);
  }
}

async function writeTemporary(path, text) {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}
