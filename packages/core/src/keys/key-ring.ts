/** The key ring: the newest key signs and encrypts, all verify and decrypt, a revoked one is refused. */
import { SojournError } from "../errors.ts";
import { WrappedKey } from "./external-key.ts";
import { type ExternalKey, type Key, SecretKey, type SecretBytes } from "./key.ts";

/** Shortest secret accepted, in characters or bytes. */
export const MIN_SECRET_LENGTH = 32;

/** What a key is made from. */
export type KeySource = SecretBytes | ExternalKey;

/** One key, as it may be shown. */
export interface KeyInfo {
  /** Its public id: in every cookie that it signed, and in the log. */
  readonly kid: string;
  /** Whether it signs. */
  readonly isNewest: boolean;
}

/**
 * Keys that can be changed while the application runs. Give the same ring to the option `secret` of
 * several managers, and to `encryption`.
 */
export class KeyRing {
  #keys: readonly [Key, ...Key[]];

  /** @param sources newest first. @throws SOJOURN_OPTIONS_INVALID for a short secret, or one key twice */
  constructor(sources: readonly [KeySource, ...KeySource[]]) {
    const [newest, ...older] = sources;
    this.#keys = distinct([makeKey(newest), ...older.map(makeKey)]);
  }

  /** Puts a key in front; it signs and encrypts from now on. Returns its id. */
  add(source: KeySource): string {
    const key = makeKey(source);
    this.#keys = distinct([key, ...this.#keys]);
    return key.kid;
  }

  /**
   * Takes a key out: what it signed or encrypted is refused from now on, so its sessions are logged
   * out. In one process: do the same on every node. False if the ring does not have it.
   * @throws SOJOURN_OPTIONS_INVALID for the only key: add another one first
   */
  revoke(kid: string): boolean {
    const [newest, ...older] = this.#keys.filter((key) => key.kid !== kid);
    if (newest === undefined)
      throw invalid("its only key cannot be revoked: add another one first");
    const isGone = older.length + 1 < this.#keys.length;
    this.#keys = [newest, ...older];
    return isGone;
  }

  /** The keys, newest first. */
  list(): readonly KeyInfo[] {
    return this.#keys.map(({ kid }, index) => ({ kid, isNewest: index === 0 }));
  }

  /** Whether a secret of it has too few different characters to be random. */
  get hasWeakKey(): boolean {
    return this.#keys.some(({ isWeak }) => isWeak);
  }

  /** The key that signs. For the parts of Sojourn. */
  get newest(): Key {
    return this.#keys[0];
  }

  /** The key of an id. For the parts of Sojourn. */
  find(kid: string): Key | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }
}

function makeKey(source: KeySource): Key {
  if (typeof source === "string" || source instanceof Uint8Array) {
    if (source.length >= MIN_SECRET_LENGTH) return new SecretKey(source);
    throw invalid(
      `a secret needs at least ${MIN_SECRET_LENGTH} characters or bytes; this one has ${source.length}. Make one with: openssl rand -base64 32`,
    );
  }
  if (isExternalKey(source)) return new WrappedKey(source);
  throw invalid("a key must be a text, bytes, or an object with id, sign() and verify()");
}

/** Whether a value has what an {@link ExternalKey} must have. */
export function isExternalKey(value: unknown): value is ExternalKey {
  if (typeof value !== "object" || value === null) return false;
  const { id, sign, verify } = value as Partial<ExternalKey>;
  return typeof id === "string" && typeof sign === "function" && typeof verify === "function";
}

function distinct(keys: readonly [Key, ...Key[]]): readonly [Key, ...Key[]] {
  if (new Set(keys.map(({ kid }) => kid)).size === keys.length) return keys;
  throw invalid("it holds a key twice");
}

function invalid(problem: string): SojournError {
  return new SojournError("SOJOURN_OPTIONS_INVALID", `key ring: ${problem}`);
}
