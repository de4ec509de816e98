/** Records, owners and endings for the tests of this store. */
import { randomBytes } from "node:crypto";
import { ownerKey, randomTag, tagOf } from "@sojourn/core/store";
import type { Clock, Handle, OwnerKey, RecordKey, StoredRecord } from "@sojourn/core/store";

const IDLE = 1_800_000;
const ABSOLUTE = 86_400_000;

export function ownerOf(user: string): OwnerKey {
  return ownerKey("test", user);
}

/** A new session of a user, or of nobody. */
export function recordOf(
  clock: Clock,
  user: string | null,
  fields: Partial<StoredRecord> = {},
): StoredRecord {
  const owner = user === null ? null : ownerOf(user);
  const tag = owner === null ? randomTag() : tagOf(owner);
  const now = clock.now();
  return {
    kind: "session",
    key: `${tag}.${randomBytes(32).toString("base64url")}` as RecordKey,
    handle: `${tag}${randomBytes(12).toString("base64url")}` as Handle,
    owner,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: now + IDLE,
    absoluteExpiresAt: now + ABSOLUTE,
    payload: "{}",
    ...fields,
  };
}

/** What a promise rejects with; the promise must reject. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error("expected a rejection");
}

/** Waits until a check holds. */
export async function eventually(check: () => Promise<boolean>, within = 10_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
