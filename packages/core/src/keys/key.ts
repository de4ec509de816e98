/** One key of a ring: made from a secret, or an object that keeps its secret elsewhere (a KMS, an HSM). */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { Mac, MAC_BYTES } from "./mac.ts";

/** A secret as given: text or bytes, at least 32 of them. */
export type SecretBytes = string | Uint8Array;

/** Characters of a key id: 24 bits in base64url. */
export const KEY_ID_LENGTH = 4;

/**
 * A key whose secret is elsewhere. Synchronous: it is asked in every request, so it works with a key that
 * the service has handed out (a data key), not over the network.
 */
export interface ExternalKey {
  /** Names the key; any text that no other key of the ring has. */
  readonly id: string;
  /** 32 bytes that only the holder of the key can make, as HMAC-SHA256 does. */
  sign(text: string): Uint8Array;
  /** Whether {@link sign} made these bytes; in constant time. */
  verify(text: string, mac: Uint8Array): boolean;
  /** Encrypts with authentication; `context` must be given again to open. Needed for `encryption`. */
  seal?(plain: Uint8Array, context: string): Uint8Array;
  /** Null when it was altered, or the context is another. */
  open?(sealed: Uint8Array, context: string): Uint8Array | null;
}

/** What a ring does with each of its keys. `purpose` keeps uses apart: what one makes, no other takes. */
export interface Key {
  /** Whether it should not be used in earnest. */
  readonly isWeak: boolean;
  /** {@link KEY_ID_LENGTH} characters. */
  readonly kid: string;
  sign(purpose: string, text: string): Uint8Array;
  verify(purpose: string, text: string, mac: Uint8Array): boolean;
  seal(purpose: string, plain: Uint8Array, context: string): Uint8Array;
  open(purpose: string, sealed: Uint8Array, context: string): Uint8Array | null;
}

/** Of 32 random hex digits fewer than so many are different in less than 1 of 10,000 cases. */
const FEWEST_DIFFERENT = 9;
const CIPHER = "aes-256-gcm";
const SALT_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A key made from a secret. HKDF (RFC 5869) derives one HMAC-SHA256 key for each purpose, and one
 * AES-256-GCM key and nonce for each sealed message from 256 random bits, so that no number of
 * messages wears a key out (NIST SP 800-38D 8.3 limits those that share one).
 */
export class SecretKey implements Key {
  readonly kid: string;
  /** Its secret has so few different characters that it can hardly be random. */
  readonly isWeak: boolean;
  readonly #root: KeyObject;
  readonly #macs = new Map<string, Mac>();

  constructor(secret: SecretBytes) {
    const bytes = typeof secret === "string" ? Buffer.from(secret) : secret;
    this.isWeak = new Set(bytes).size < FEWEST_DIFFERENT;
    this.#root = createSecretKey(bytes);
    this.kid = this.#derive("key id", "", 3).toString("base64url");
  }

  sign(purpose: string, text: string): Uint8Array {
    return Uint8Array.from(this.#macOf(purpose).of(text));
  }

  verify(purpose: string, text: string, mac: Uint8Array): boolean {
    return mac.length === MAC_BYTES && timingSafeEqual(this.#macOf(purpose).of(text), mac);
  }

  seal(purpose: string, plain: Uint8Array, context: string): Uint8Array {
    const salt = randomBytes(SALT_BYTES);
    const { key, nonce } = this.#messageKey(purpose, salt);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(context));
    return Buffer.concat([salt, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  open(purpose: string, sealed: Uint8Array, context: string): Uint8Array | null {
    if (sealed.length < SALT_BYTES + TAG_BYTES) return null;
    const { key, nonce } = this.#messageKey(purpose, sealed.subarray(0, SALT_BYTES));
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const plain = decipher.update(sealed.subarray(SALT_BYTES, -TAG_BYTES));
      return Buffer.concat([plain, decipher.final()]);
    } catch {
      return null;
    }
  }

  #macOf(purpose: string): Mac {
    const known = this.#macs.get(purpose);
    if (known) return known;
    const mac = new Mac(this.#derive(`signing ${purpose}`, "", KEY_BYTES));
    this.#macs.set(purpose, mac);
    return mac;
  }

  #messageKey(purpose: string, salt: Uint8Array): { key: Buffer; nonce: Buffer } {
    const bytes = this.#derive(`sealing ${purpose}`, salt, KEY_BYTES + NONCE_BYTES);
    return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
  }

  #derive(info: string, salt: string | Uint8Array, length: number): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#root, salt, `sojourn ${info}`, length));
  }
}
