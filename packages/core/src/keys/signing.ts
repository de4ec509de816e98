/** Signatures for one purpose: `<key id><MAC>`, checked in constant time and without the store. */
import { KEY_ID_LENGTH } from "./key.ts";
import type { KeyRing } from "./key-ring.ts";

const MAC_LENGTH = 43;
/** The one form that base64url has for 256 bits: two of the last character's six are zero. */
const CANONICAL_MAC = /^[\w-]{42}[AEIMQUYcgkosw048]$/;
/** Characters of a signature: key id, and 256 bits in base64url. */
export const SIGNATURE_LENGTH: number = KEY_ID_LENGTH + MAC_LENGTH;

/** Outcome of {@link Signing.verify}. `stale`: signed by a key that is not the newest. */
export type Verdict = "valid" | "stale" | "bad-signature" | "unknown-key";

/** Signs with the newest key of a ring. The key id tells which key to try: a forgery costs one MAC. */
export class Signing {
  readonly #ring: KeyRing;
  readonly #purpose: string;

  constructor(ring: KeyRing, purpose: string) {
    this.#ring = ring;
    this.#purpose = purpose;
  }

  sign(text: string): string {
    const { newest } = this.#ring;
    return newest.kid + Buffer.from(newest.sign(this.#purpose, text)).toString("base64url");
  }

  /** Checks a signature. Only its one canonical form is valid. */
  verify(text: string, signature: string): Verdict {
    const key = this.#ring.find(signature.slice(0, KEY_ID_LENGTH));
    if (!key) return "unknown-key";
    const given = signature.slice(KEY_ID_LENGTH);
    const isMade =
      CANONICAL_MAC.test(given) && key.verify(this.#purpose, text, Buffer.from(given, "base64url"));
    if (!isMade) return "bad-signature";
    return key === this.#ring.newest ? "valid" : "stale";
  }
}
