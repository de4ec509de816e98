/** Brings a record in the store up to what was written in this process since it was sent there. */
import { applyChanges, NO_CHANGES, TrackedData, parseValues } from "../session/data.ts";
import type { PayloadCodec } from "../session/payload.ts";
import { isTombstone, type Store, type StoredRecord } from "../store/contract.ts";

/**
 * Puts onto the store's record what changed between `sent`, the first payload that the store may have
 * taken, and `newest`. Somebody may have written there meanwhile: their other keys stay.
 */
export async function catchUp(
  to: Store,
  codec: PayloadCodec,
  { newest, sent }: { newest: StoredRecord; sent: string },
): Promise<void> {
  const { kind, handle, seenAt, expiresAt } = newest;
  if (newest.payload === sent) return;
  for (;;) {
    const found = await to.read({ kind, handle });
    if (found === null || isTombstone(found)) return;
    const payload = rebased(codec, { found, newest, sent });
    if (payload === found.payload) return;
    const change = { payload, seenAt, expiresAt };
    const { status } = await to.update({ kind, handle }, change, found.version);
    if (status !== "conflict") return;
  }
}

function rebased(
  codec: PayloadCodec,
  { found, newest, sent }: { found: StoredRecord; newest: StoredRecord; sent: string },
): string {
  const then = codec.decode({ ...newest, payload: sent });
  const { facts, dataText } = codec.decode(newest);
  const tracked = new TrackedData(then.dataText, undefined);
  tracked.clear();
  for (const [key, value] of Object.entries(parseValues(dataText))) tracked.set(key, value);
  const changes = tracked.changes() ?? NO_CHANGES;
  return codec.encode(found, facts, applyChanges(codec.decode(found).dataText, changes));
}
