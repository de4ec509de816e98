/** Encryption for one purpose: `<key id><base64url>`, bound to a context that must be named again to open it. */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { KEY_ID_LENGTH } from "./key.ts";
import type { KeyRing } from "./key-ring.ts";

/** Outcome of {@link Sealing.open}. `stale`: sealed with a key that is not the newest. */
export type Opened =
  | { readonly status: "open"; readonly text: string; readonly stale: boolean }
  | { readonly status: "unknown-key" | "damaged" };

/** How a sealing works. */
export interface SealingOptions {
  readonly ring: KeyRing;
  readonly purpose: string;
  /** Texts from so many characters on are compressed before they are encrypted; null = none. */
  readonly compressFrom: number | null;
}

/** First byte of what is encrypted. */
const PLAIN = 0;
const DEFLATED = 1;
/** The most that a text may inflate to, in bytes. */
const MOST_INFLATED = 64 * 1024 * 1024;

/** See the top of the file. */
export class Sealing {
  readonly #options: SealingOptions;

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  seal(text: string, context: string): string {
    const { ring, purpose, compressFrom } = this.#options;
    const isDeflated = compressFrom !== null && text.length >= compressFrom;
    const body = isDeflated
      ? deflateRawSync(text, { level: constants.Z_BEST_SPEED })
      : Buffer.from(text);
    const plain = Buffer.concat([Buffer.from([isDeflated ? DEFLATED : PLAIN]), body]);
    const { newest } = ring;
    return newest.kid + Buffer.from(newest.seal(purpose, plain, context)).toString("base64url");
  }

  open(sealed: string, context: string): Opened {
    const { ring, purpose } = this.#options;
    const key = ring.find(sealed.slice(0, KEY_ID_LENGTH));
    if (!key) return { status: "unknown-key" };
    const body = sealed.slice(KEY_ID_LENGTH);
    const bytes = Buffer.from(body, "base64url");
    const plain = bytes.toString("base64url") === body ? key.open(purpose, bytes, context) : null;
    const text = plain && textOf(plain);
    if (text === null) return { status: "damaged" };
    return { status: "open", text, stale: key !== ring.newest };
  }
}

function textOf(plain: Uint8Array): string | null {
  const body = plain.subarray(1);
  if (plain[0] === PLAIN) return Buffer.from(body).toString();
  if (plain[0] !== DEFLATED) return null;
  try {
    return inflateRawSync(body, { maxOutputLength: MOST_INFLATED }).toString();
  } catch {
    return null;
  }
}
