/** A key of somebody else's making as a ring uses it: what it answers is checked before it is believed. */
import { hash } from "node:crypto";
import { SojournError } from "../errors.ts";
import { type ExternalKey, type Key, KEY_ID_LENGTH } from "./key.ts";
import { MAC_BYTES } from "./mac.ts";

/** Wraps an {@link ExternalKey}. */
export class WrappedKey implements Key {
  readonly kid: string;
  readonly isWeak = false;
  readonly #key: ExternalKey;

  constructor(key: ExternalKey) {
    this.#key = key;
    this.kid = hash("sha256", `sojourn key id ${key.id}`, "base64url").slice(0, KEY_ID_LENGTH);
  }

  sign(purpose: string, text: string): Uint8Array {
    const mac = this.#key.sign(`${purpose}\0${text}`);
    if (mac instanceof Uint8Array && mac.length === MAC_BYTES) return mac;
    throw this.#broken(`sign() must return a Uint8Array of ${MAC_BYTES} bytes`);
  }

  verify(purpose: string, text: string, mac: Uint8Array): boolean {
    return mac.length === MAC_BYTES && this.#key.verify(`${purpose}\0${text}`, mac);
  }

  seal(purpose: string, plain: Uint8Array, context: string): Uint8Array {
    const sealed = this.#key.seal?.(plain, `${purpose}\0${context}`);
    if (sealed instanceof Uint8Array && sealed.length > plain.length) return sealed;
    throw this.#broken("seal() must return a Uint8Array longer than what it was given");
  }

  open(purpose: string, sealed: Uint8Array, context: string): Uint8Array | null {
    const plain = this.#key.open?.(sealed, `${purpose}\0${context}`) ?? null;
    if (plain === null || plain instanceof Uint8Array) return plain;
    throw this.#broken("open() must return a Uint8Array, or null");
  }

  #broken(problem: string): SojournError {
    return new SojournError("SOJOURN_OPTIONS_INVALID", `the key '${this.#key.id}': ${problem}`);
  }
}
