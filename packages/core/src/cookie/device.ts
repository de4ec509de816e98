/**
 * The device cookie: a random id that a browser keeps for as long as it may (400 days, RFC 6265bis 5.5), signed. It tells
 * that the same browser came again, never who uses it; a session remembers its digest only.
 */
import { hash } from "node:crypto";
import type { Signing } from "../keys/signing.ts";
import type { PlannedCookie } from "../response/plan.ts";
import { randomText } from "../token/random.ts";
import { readCookie } from "./read.ts";
import { type CookieSpec, LONGEST_SECONDS } from "./spec.ts";

const ID_LENGTH = 22;
const ID_BYTES = 16;
const DIGEST_LENGTH = 22;

/** The device of one request. */
export class Device {
  readonly #signing: Signing;
  readonly #spec: CookieSpec;
  #id: string | null;
  #isNew = false;

  constructor(signing: Signing, session: CookieSpec, cookieHeader: string | undefined) {
    this.#signing = signing;
    this.#spec = { ...session, name: nameBeside(session.name) };
    const { name } = this.#spec;
    const ids = readCookie(cookieHeader, name).map((value) => openDevice(signing, name, value));
    this.#id = ids.find((id) => id !== null) ?? null;
  }

  /** Digest of the id that the browser brought, or that it is about to get. */
  get digest(): string | undefined {
    return this.#id === null
      ? undefined
      : hash("sha256", this.#id, "base64url").slice(0, DIGEST_LENGTH);
  }

  /** Gives the browser an id, if it has none. */
  introduce(): void {
    this.#isNew ||= this.#id === null;
    this.#id ??= randomText(ID_BYTES);
  }

  /** The cookie that the browser must get, once. */
  take(): PlannedCookie | null {
    if (!this.#isNew || this.#id === null) return null;
    this.#isNew = false;
    const { name, attributes } = this.#spec;
    const value = `${this.#id}.${this.#signing.sign(`${name}=${this.#id}`)}`;
    return { name, value, attributes: { ...attributes, maxAge: LONGEST_SECONDS } };
  }
}

/** `__Host-sid` → `__Host-sid-device`. */
function nameBeside(name: string): string {
  return `${name}-device`;
}

function openDevice(signing: Signing, name: string, value: string): string | null {
  const id = value.slice(0, ID_LENGTH);
  if (value[ID_LENGTH] !== ".") return null;
  const verdict = signing.verify(`${name}=${id}`, value.slice(ID_LENGTH + 1));
  return verdict === "valid" || verdict === "stale" ? id : null;
}
