/** A session as sealed text: what the browser carries and cannot read, alter, or bring with another token. */
import { type KeyRing, Sealing } from "@sojourn/core/store";
import type { Handle, OwnerKey, RecordKey } from "@sojourn/core/store";
import type { Carried } from "./page.ts";

/** What a text is sealed with, and for. */
export interface SealParts {
  readonly ring: KeyRing;
  readonly compress: boolean;
  readonly kind: string;
  /** Name of the session's cookie. */
  readonly name: string;
}

/** What was in a text. `stale`: it is to be sealed anew, with the newest key. */
export interface Unsealed {
  readonly carried: Carried;
  readonly stale: boolean;
}

/** First of the fields; the payload stands on a line of its own after them. */
const FORMAT = 1;
/** Characters from which on deflating makes a session shorter. */
const COMPRESS_FROM = 256;

/** Seals and opens the sessions of one kind and cookie. Bound to both and to the key, so to one token. */
export class RecordSealing {
  readonly #sealing: Sealing;
  readonly #kind: string;
  readonly #name: string;

  constructor({ ring, compress, kind, name }: SealParts) {
    const compressFrom = compress ? COMPRESS_FROM : null;
    this.#sealing = new Sealing({ ring, purpose: "cookie-store", compressFrom });
    this.#kind = kind;
    this.#name = name;
  }

  seal({ record, stamp }: Carried): string {
    const { handle, owner, version, createdAt, seenAt, expiresAt, absoluteExpiresAt } = record;
    const times = [createdAt, seenAt, expiresAt, absoluteExpiresAt];
    const fields = [FORMAT, handle, owner, version, ...times, stamp.owner, stamp.everyone];
    // The payload is JSON already: within a JSON text it would be longer by each of its quotes.
    const text = `${JSON.stringify(fields)}\n${record.payload}`;
    return this.#sealing.seal(text, this.#context(record.key));
  }

  /** Null for what was not sealed here, or for another token. */
  open(key: RecordKey, sealed: string): Unsealed | null {
    const opened = this.#sealing.open(sealed, this.#context(key));
    if (opened.status !== "open") return null;
    const end = opened.text.indexOf("\n");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever could seal it wrote it like this
    const fields = JSON.parse(opened.text.slice(0, end)) as Fields;
    if (fields[0] !== FORMAT) return null;
    const [, handle, owner, version, createdAt, seenAt, expiresAt, absoluteExpiresAt] = fields;
    const [, , , , , , , , ofOwner, ofEveryone] = fields;
    const times = { createdAt, seenAt, expiresAt, absoluteExpiresAt };
    const payload = opened.text.slice(end + 1);
    const record = { kind: this.#kind, key, handle, owner, version, ...times, payload };
    const stamp = { owner: ofOwner, everyone: ofEveryone };
    return { carried: { record, stamp }, stale: opened.stale };
  }

  #context(key: RecordKey): string {
    return [this.#kind, this.#name, key].join("\0");
  }
}

type Fields = [
  format: number,
  handle: Handle,
  owner: OwnerKey | null,
  version: number,
  createdAt: number,
  seenAt: number,
  expiresAt: number,
  absoluteExpiresAt: number,
  ofOwner: number,
  ofEveryone: number,
];
