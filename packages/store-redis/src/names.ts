/** The names that reach Redis: which tag an id has, and the key that chooses the slot. */
import { tagOf } from "@sojourn/core/store";
import type { Handle, OwnerKey, RecordKey, Ref } from "@sojourn/core/store";

const TAG = /^[A-Za-z0-9_-]{2}[AQgw]/;
const ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/** The last of a tag's three characters holds two bits. */
const LAST = "AQgw";

/** The label of the one shelf that a standalone server has. */
export const SHARED = "*";

/** True for an id that begins with a tag. */
export function hasTag(id: RecordKey | Handle | OwnerKey): boolean {
  return TAG.test(id);
}

/** The tag of an id; `---`, which no record has, for an id of somebody's invention. */
export function slotTag(id: RecordKey | Handle | OwnerKey): string {
  return hasTag(id) ? tagOf(id) : "---";
}

/** A reference as the scripts take it: `k` or `h`, and the id. */
export function target(ref: Ref): readonly [what: "k" | "h", id: RecordKey | Handle] {
  return "key" in ref ? ["k", ref.key] : ["h", ref.handle];
}

/** `<prefix>:{<tag>}:<kind>`: what every name of this tag and kind begins with. */
export function base(prefix: string, tag: string, kind: string): string {
  return `${prefix}:{${tag}}:${encodeURIComponent(kind)}`;
}

/** Every tag there is, 16,384, in the order of their bytes. */
export function everyTag(): readonly string[] {
  const letters = ALPHABET.split("");
  return letters.flatMap((first) =>
    letters.flatMap((second) => LAST.split("").map((third) => first + second + third)),
  );
}
