/** Secret random bytes, drawn many at a time: drawn one by one they cost more than the rest of a token. */
import { randomFillSync } from "node:crypto";
import { startupSnapshot } from "node:v8";

/** Drawn at once: enough for about twenty sessions. */
const POOL_BYTES = 1_024;

const pool = new Uint8Array(POOL_BYTES);
let left = 0;

/**
 * Bytes from the CSPRNG of `node:crypto`, each given out once and erased from the pool.
 * @param length at most 1,024
 */
export function takeRandom(length: number): Uint8Array {
  if (left < length) {
    randomFillSync(pool);
    left = POOL_BYTES;
  }
  const taken = pool.slice(left - length, left);
  pool.fill(0, left - length, left);
  // Every process that starts from a snapshot of this one would find the same bytes in the pool.
  left = startupSnapshot.isBuildingSnapshot() ? 0 : left - length;
  return taken;
}

/** So many random bytes, in base64url. */
export function randomText(bytes: number): string {
  return Buffer.from(takeRandom(bytes)).toString("base64url");
}
