/** The payload of a session record: one line of facts under short names, one line of data, both JSON. */
import { isSojournError, SojournError } from "../errors.ts";
import type { Sealing } from "../keys/sealing.ts";
import type { StoredRecord } from "../store/contract.ts";

/** What the core keeps of a session beside the record's own fields. */
export interface Facts {
  /** Last authentication, or null. */
  readonly authenticatedAt: number | null;
  readonly level: number;
  /** Idle timeout in ms of this session, null = none, absent = the application's. */
  readonly idle?: number | null;
  /** Absolute timeout in ms of this session, absent = the application's. */
  readonly absolute?: number;
  /** Who began the session. */
  readonly ip?: string;
  readonly userAgent?: string;
  /** Digest of its device cookie. */
  readonly device?: string;
  /** Digest of the version of the credentials at the login. */
  readonly authVersion?: string;
  /** Digest of what the option `privileges` returned. */
  readonly privileges?: string;
}

/** Their names in a store: every session has them, so each letter counts. A fact of another name keeps it. */
const SHORT: Readonly<Record<keyof Facts, string>> = {
  authenticatedAt: "a",
  level: "l",
  idle: "i",
  absolute: "m",
  ip: "p",
  userAgent: "u",
  device: "d",
  authVersion: "v",
  privileges: "r",
};
const SHORT_NAMES: ReadonlyMap<string, string> = new Map(Object.entries(SHORT));
const LONG_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(SHORT).map(([long, short]) => [short, long]),
);

/** Facts of a session that nobody is logged in to. */
export const ANONYMOUS: Facts = { authenticatedAt: null, level: 0 };

/** A payload taken apart. */
export interface Opened {
  readonly factsText: string;
  readonly dataText: string;
  /** It is to be written anew: an older key encrypted it, or none. */
  readonly stale: boolean;
}

/** A payload with its facts decoded. The data is not until somebody asks for it. */
export interface Decoded extends Omit<Opened, "factsText"> {
  readonly facts: Facts;
}

/** How payloads are encrypted. */
export interface PayloadSealing {
  readonly sealing: Sealing;
  /** Takes payloads from before the encryption was switched on. */
  readonly acceptPlain: boolean;
}

const SEALED = "sealed1:";

/**
 * Writes and reads payloads; with `sealing`, encrypted and bound to kind, handle and owner, so that a stolen store
 * without the keys shows nothing, and a payload is worth nothing in another record or under another owner.
 * These stay when the token is rotated: a rotation moves a payload as it is.
 */
export class PayloadCodec {
  readonly #encryption: PayloadSealing | null;

  constructor(encryption: PayloadSealing | null) {
    this.#encryption = encryption;
  }

  encode(record: Bound, facts: Facts, dataText: string): string {
    return this.close(record, JSON.stringify(stored(facts)), dataText);
  }

  /** As {@link encode}, for facts as they were stored. */
  close(record: Bound, factsText: string, dataText: string): string {
    const text = `${factsText}\n${dataText}`;
    if (this.#encryption === null) return text;
    return SEALED + this.#encryption.sealing.seal(text, contextOf(record));
  }

  /**
   * @throws SOJOURN_KEY_UNKNOWN when no key of the ring opens it; SOJOURN_STORE_CORRUPT when it is not
   * one of ours, or was altered. It is left as it is.
   */
  decode(record: StoredRecord): Decoded {
    const { factsText, dataText, stale } = this.open(record);
    return { facts: this.facts(record, factsText), dataText, stale };
  }

  /** The facts in the text of a record that was opened. @throws SOJOURN_STORE_CORRUPT */
  facts({ handle }: StoredRecord, factsText: string): Facts {
    const facts = readFacts(factsText);
    if (facts === null) throw corruptPayload(handle);
    return facts;
  }

  /** As {@link decode}, for who knows the facts. */
  open(record: StoredRecord): Opened {
    const { text, stale } = this.#unseal(record);
    const end = text.indexOf("\n");
    if (end === -1) throw corruptPayload(record.handle);
    return { factsText: text.slice(0, end), dataText: text.slice(end + 1), stale };
  }

  /** As {@link decode}; null where no key of the ring opens it. */
  tryDecode(record: StoredRecord): Decoded | null {
    try {
      return this.decode(record);
    } catch (error) {
      if (isSojournError(error) && error.code === "SOJOURN_KEY_UNKNOWN") return null;
      throw error;
    }
  }

  #unseal(record: StoredRecord): { text: string; stale: boolean } {
    const { handle, payload } = record;
    const isSealed = payload.startsWith(SEALED);
    if (this.#encryption === null) {
      if (isSealed)
        throw unknownKey(handle, "it is encrypted, and the option encryption is not set");
      return { text: payload, stale: false };
    }
    const { sealing, acceptPlain } = this.#encryption;
    if (!isSealed) {
      if (acceptPlain) return { text: payload, stale: true };
      throw unknownKey(handle, "it is not encrypted; encryption.acceptPlain takes such ones over");
    }
    const opened = sealing.open(payload.slice(SEALED.length), contextOf(record));
    if (opened.status === "open") return opened;
    if (opened.status === "unknown-key") throw unknownKey(handle, "its key is not in the ring");
    throw corruptPayload(handle);
  }
}

/** The facts within a text; null where it is something else. Facts of a later release may be among them. */
function readFacts(text: string): Facts | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const facts = renamed(found, LONG_NAMES);
  facts.level ??= usualLevel(facts);
  return areFacts(facts) ? facts : null;
}

/** Facts as they are stored: without the level where it is the usual one. */
function stored(facts: Facts): object {
  const { level, ...others } = facts;
  return renamed(level === usualLevel(facts) ? others : facts, SHORT_NAMES);
}

/** That of a login, or of nobody. */
function usualLevel({ authenticatedAt = null }: Draft): number {
  return authenticatedAt === null ? 0 : 1;
}

/** Facts that are still being read. */
type Draft = { -readonly [Key in keyof Facts]?: Facts[Key] };

function renamed(facts: object, names: ReadonlyMap<string, string>): Draft {
  const result: Record<string, unknown> = {};
  for (const name in facts) result[names.get(name) ?? name] = Reflect.get(facts, name);
  return result;
}

function areFacts(facts: Draft): facts is Facts {
  const { authenticatedAt, level, idle, absolute } = facts;
  const { ip, userAgent, device, authVersion, privileges } = facts;
  return (
    isNumberOrNull(authenticatedAt) &&
    Number.isFinite(level) &&
    (idle === undefined || isNumberOrNull(idle)) &&
    (absolute === undefined || Number.isFinite(absolute)) &&
    [ip, userAgent, device, authVersion, privileges].every(isTextOrAbsent)
  );
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

type Bound = Pick<StoredRecord, "kind" | "handle" | "owner">;

function contextOf({ kind, handle, owner }: Bound): string {
  return [kind, handle, owner ?? ""].join("\0");
}

function unknownKey(handle: string, why: string): SojournError {
  return new SojournError(
    "SOJOURN_KEY_UNKNOWN",
    `the stored payload of session ${handle} cannot be opened: ${why}. It was left as it is`,
    { details: { handle } },
  );
}

/** The error for a payload that cannot be read. JSON's own error would quote the payload: no cause. */
export function corruptPayload(handle?: string): SojournError {
  const which = handle === undefined ? "a session" : `session ${handle}`;
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `the stored payload of ${which} cannot be read; it was left as it is. Revoke that session, and find out what else writes to this store`,
    { details: { handle } },
  );
}
