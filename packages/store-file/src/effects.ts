/** What may stand in a line: the shape of effects, strict, because unknown data is never guessed at. */
import { z } from "zod";
import type {
  Ending,
  EndingReason,
  Effect,
  Handle,
  OwnerKey,
  RecordKey,
  StoredRecord,
  Tombstone,
} from "@sojourn/core/store";

const text = (): z.ZodString => z.string();
const key = z.custom<RecordKey>((value) => typeof value === "string");
const handle = z.custom<Handle>((value) => typeof value === "string");
const owner = z.custom<OwnerKey>((value) => typeof value === "string").nullable();
const instant = z.number();

/** A record: every field present, nothing else. */
export const recordSchema: z.ZodType<StoredRecord> = z.strictObject({
  kind: text(),
  key,
  handle,
  owner,
  version: z.number(),
  createdAt: instant,
  seenAt: instant,
  expiresAt: instant,
  absoluteExpiresAt: instant,
  payload: text(),
});

/** Every reason of an ending that this format knows. */
export const ENDINGS: readonly EndingReason[] = [
  "logout",
  "revoked",
  "evicted",
  "idle",
  "absolute",
  "rotated",
];

const endingSchema: z.ZodType<Ending> = z.strictObject({
  why: z.enum(ENDINGS),
  at: instant,
  reason: text().exactOptional(),
  successor: handle.exactOptional(),
  seenAt: instant.exactOptional(),
});

const tombstoneSchema: z.ZodType<Tombstone> = z.strictObject({
  kind: text(),
  key,
  handle,
  owner,
  createdAt: instant,
  expiresAt: instant,
  ending: endingSchema,
});

const effectSchema: z.ZodType<Effect> = z.union([
  z.strictObject({ put: recordSchema }),
  z.strictObject({
    touch: z.strictObject({ kind: text(), key, seenAt: instant, expiresAt: instant }),
  }),
  z.strictObject({
    end: tombstoneSchema,
    moved: z.strictObject({ to: key, until: instant }).exactOptional(),
  }),
  z.strictObject({ drop: z.strictObject({ kind: text(), key }) }),
  z.strictObject({ endAll: z.strictObject({ kind: text(), ending: endingSchema }) }),
]);

/** The effects of one operation. */
export const effectsSchema: z.ZodType<Effect[]> = z.array(effectSchema);
