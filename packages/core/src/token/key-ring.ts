/** The key ring: the newest key signs, all verify, a removed one is refused. */
import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";

/** Shortest secret accepted, in characters or bytes. */
export const MIN_SECRET_LENGTH = 32;

/** Characters of a key id at the head of a signature. */
const KEY_ID_LENGTH = 4;
/** 256 bits in base64url. */
const MAC_LENGTH = 43;
/** Characters of a signature: key id and MAC. */
export const SIGNATURE_LENGTH: number = KEY_ID_LENGTH + MAC_LENGTH;

interface Key {
  readonly id: string;
  readonly mac: KeyObject;
}

/** Outcome of {@link KeyRing.verify}. `stale`: signed by a key that is not the newest. */
export type Verdict = "valid" | "stale" | "bad-signature" | "unknown-key";

/**
 * Signs and verifies with HMAC-SHA256 (RFC 2104). Each secret is stretched to its purpose by HKDF
 * (RFC 5869), so that the same secret may serve elsewhere. A signature is `<key id><MAC>`; the key
 * id is 24 bits of a digest and tells which key to try, so that a forgery costs one MAC.
 */
export class KeyRing {
  readonly #keys: readonly [Key, ...Key[]];

  /** @param secrets newest first; each of at least {@link MIN_SECRET_LENGTH} (checked by the options) */
  constructor(secrets: readonly [SecretBytes, ...SecretBytes[]], purpose: string) {
    const [newest, ...older] = secrets;
    this.#keys = [deriveKey(newest, purpose), ...older.map((secret) => deriveKey(secret, purpose))];
  }

  /** Signs with the newest key. */
  sign(text: string): string {
    const [newest] = this.#keys;
    return newest.id + mac(newest, text);
  }

  /** Checks a signature of exactly {@link SIGNATURE_LENGTH} characters, in constant time. */
  verify(text: string, signature: string): Verdict {
    const id = signature.slice(0, KEY_ID_LENGTH);
    const index = this.#keys.findIndex((key) => key.id === id);
    const key = this.#keys[index];
    if (!key) return "unknown-key";
    const expected = Buffer.from(mac(key, text), "latin1");
    const given = Buffer.from(signature.slice(KEY_ID_LENGTH), "latin1");
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return "bad-signature";
    return index === 0 ? "valid" : "stale";
  }
}

/** A secret as given: text or bytes. */
export type SecretBytes = string | Uint8Array;

function deriveKey(secret: SecretBytes, purpose: string): Key {
  const derive = (info: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", secret, "", `sojourn ${info} ${purpose}`, length));
  return {
    id: Buffer.from(derive("key id", 3)).toString("base64url"),
    mac: createSecretKey(derive("signing key", 32)),
  };
}

function mac(key: Key, text: string): string {
  return createHmac("sha256", key.mac).update(text).digest("base64url");
}
