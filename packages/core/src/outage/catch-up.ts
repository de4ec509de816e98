/** Brings a record in the store up to what was written in this process since it was sent there. */
import { applyChanges, TrackedData, parseValues } from "../session/data.ts";
import { decodePayload, encodePayload } from "../session/payload.ts";
import { isTombstone, type Store, type StoredRecord } from "../store/contract.ts";

/**
 * Puts onto the store's record what changed between `sent`, the first payload that the store may have
 * taken, and `newest`. Somebody may have written there meanwhile: their other keys stay.
 */
export async function catchUp(to: Store, newest: StoredRecord, sent: string): Promise<void> {
  const { kind, handle, seenAt, expiresAt } = newest;
  if (newest.payload === sent) return;
  for (;;) {
    const found = await to.read({ kind, handle });
    if (found === null || isTombstone(found)) return;
    const payload = rebased(found, newest, sent);
    if (payload === found.payload) return;
    const change = { payload, seenAt, expiresAt };
    const { status } = await to.update({ kind, handle }, change, found.version);
    if (status !== "conflict") return;
  }
}

function rebased(found: StoredRecord, newest: StoredRecord, sent: string): string {
  const then = decodePayload({ ...newest, payload: sent });
  const { facts, dataText } = decodePayload(newest);
  const tracked = new TrackedData(then.dataText, undefined);
  tracked.clear();
  for (const [key, value] of Object.entries(parseValues(dataText))) tracked.set(key, value);
  const changes = tracked.changes() ?? new Map<string, string | null>();
  return encodePayload(facts, applyChanges(decodePayload(found).dataText, changes));
}
