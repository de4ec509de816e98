/** The data of one session in one request: decoded when asked for, compared when written. */
import { SojournError } from "../errors.ts";
import { corruptPayload } from "./payload.ts";
import { checkSerialisable } from "./serialise.ts";

/** Data by key, without a prototype: `__proto__` is a key like any other. */
export type Values = Record<string, unknown>;

/** What one request changed of one key: its JSON text, null where the key was removed. */
type Change = readonly [key: string, text: string | null];

/** What one request changed. */
export type Changes = readonly Change[];

export const NO_CHANGES: Changes = [];

/** The keys that were changed. */
export function keysOf(changes: Changes | null): readonly string[] {
  return (changes ?? NO_CHANGES).map(([key]) => key);
}

/** Checks and fills in decoded data; throws SOJOURN_DATA_INVALID. */
export type Validate = (values: Values) => Values;

/**
 * Keys whose values may differ from those that were loaded. With what was loaded, where they were assigned or removed
 * before their values could change unseen.
 */
type Touched = Map<string, string | null | undefined>;

/** Whoever sees to it that changes are written. */
interface Work {
  noteWork(): void;
}

/** That of most requests. */
const UNTOUCHED: Touched = new Map();

/** Data of a session that has none. */
export const EMPTY_DATA = "{}";

/** Reads JSON text into values. @throws SOJOURN_STORE_CORRUPT when it is not a JSON object */
export function parseValues(text: string): Values {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw corruptPayload();
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw corruptPayload();
  return Object.setPrototypeOf(parsed, null) as Values;
}

/** The text with the changes made to it. */
export function applyChanges(text: string, changes: Changes): string {
  const values = parseValues(text);
  for (const [key, change] of changes) {
    if (change === null) delete values[key];
    else values[key] = JSON.parse(change);
  }
  return JSON.stringify(values);
}

/**
 * Keeps the text that was loaded and the values that the handler works on; the difference is what
 * the request changed. A value within an object can change unseen, so the texts of what was handed
 * out are compared.
 */
export class TrackedData {
  #base: string;
  #values: Values | null = null;
  #touched: Touched = UNTOUCHED;
  /** How often one of them was assigned or removed, and how often of that is stored, or never will be. */
  #assignments = 0;
  #settled = 0;
  /** The text that was asked for last, and the assignments that it has. */
  #seen = "";
  #seenAssignments = 0;
  readonly #validate: Validate | undefined;
  readonly #work: Work | null;

  /** @param work told when something may have changed first */
  constructor(text: string, validate: Validate | undefined, work: Work | null = null) {
    this.#base = text;
    this.#validate = validate;
    this.#work = work;
  }

  get(key: string): unknown {
    const value = this.#decoded()[key];
    if (typeof value === "object" && value !== null) this.#touch(key);
    return value;
  }

  set(key: string, value: unknown): void {
    if (typeof value !== "object") checkSerialisable(value, `session.${key}`);
    this.#willAssign(key);
    this.#decoded()[key] = value;
  }

  has(key: string): boolean {
    return key in this.#decoded();
  }

  delete(key: string): boolean {
    if (!this.has(key)) return false;
    this.#willAssign(key);
    return delete this.#decoded()[key];
  }

  keys(): string[] {
    return Object.keys(this.#decoded());
  }

  clear(): void {
    for (const key of this.keys()) this.delete(key);
  }

  /** A deep copy of the values. */
  copy(): Values {
    return parseValues(this.text());
  }

  /** The values themselves, for the application's own functions to look at. */
  peek(): Readonly<Values> {
    const values = this.#decoded();
    for (const key of Object.keys(values)) this.#touch(key);
    return values;
  }

  /** The present values as JSON text. @throws SOJOURN_DATA_UNSERIALISABLE */
  text(): string {
    if (this.#touched.size === 0) return this.#base;
    this.#check();
    this.#seen = JSON.stringify(this.#decoded());
    this.#seenAssignments = this.#assignments;
    return this.#seen;
  }

  /** What differs from the text that was loaded, or null. @throws SOJOURN_DATA_UNSERIALISABLE */
  changes(): Changes | null {
    if (this.#touched.size === 0) return null;
    if (this.#assignments === this.#settled) {
      if (this.text() === this.#base) return null;
    } else this.#check();
    const changes = this.#compare();
    if (changes.length === 0) return null;
    this.#validate?.(this.copy());
    return changes;
  }

  /**
   * Takes note of what the store has now. `sent` is what this request's data was when the write
   * began (default: what was loaded). Values that are still as sent give way to the stored ones;
   * what the handler changed since then stays, and is left to write.
   */
  written(stored: string, sent: string = this.#base): void {
    this.#rebase(stored);
    const values = this.#values;
    if (!values) return;
    if (sent === this.#seen && this.#assignments === this.#seenAssignments) this.#settle();
    if (stored === sent) return;
    const [now, then] = [parseValues(stored), parseValues(sent)];
    for (const key of new Set([...Object.keys(values), ...Object.keys(now)])) {
      const text = textOf(values[key]);
      if (text !== textOf(then[key]) || text === textOf(now[key])) continue;
      if (key in now) values[key] = now[key];
      else delete values[key];
    }
  }

  /** The text that was loaded, or written since. */
  get loadedText(): string {
    return this.#base;
  }

  /** The values as they were loaded. */
  loaded(): Values {
    return parseValues(this.#base);
  }

  /** Takes the present values for the loaded ones: nothing is left to write. */
  forget(): void {
    this.#rebase(this.text());
    this.#settle();
  }

  /** Starts over from a stored text. */
  load(text: string): void {
    this.#rebase(text);
    this.#values = null;
    this.#touched = UNTOUCHED;
    this.#settle();
  }

  #decoded(): Values {
    if (this.#values) return this.#values;
    let values = parseValues(this.#base);
    if (this.#validate && this.#base !== EMPTY_DATA) {
      values = Object.assign(Object.create(null) as Values, this.#validate(values));
      for (const key of Object.keys(values)) checkSerialisable(values[key], `session.${key}`);
      this.#base = JSON.stringify(values);
    }
    this.#values = values;
    return values;
  }

  #rebase(text: string): void {
    this.#base = text;
    for (const key of this.#touched.keys()) this.#touched.set(key, undefined);
  }

  #touch(key: string, loaded?: string | null): void {
    if (this.#touched.has(key)) return;
    if (this.#touched === UNTOUCHED) this.#touched = new Map();
    this.#touched.set(key, loaded);
    this.#work?.noteWork();
  }

  #willAssign(key: string): void {
    if (!this.#touched.has(key)) this.#touch(key, textOf(this.#decoded()[key]));
    this.#assignments++;
  }

  /** Nothing is left to write but what changes from now on: unseen, that is only what is in objects. */
  #settle(): void {
    this.#settled = this.#assignments;
    for (const key of this.#touched.keys())
      if (typeof this.#values?.[key] !== "object") this.#touched.delete(key);
  }

  #check(): void {
    const values = this.#decoded();
    for (const key of this.#touched.keys()) checkSerialisable(values[key], `session.${key}`);
  }

  #compare(): Changes {
    const values = this.#decoded();
    let base: Values | null = null;
    const changes: Change[] = [];
    for (const [key, loaded] of this.#touched) {
      const text = textOf(values[key]);
      const before =
        loaded === undefined ? textOf((base ??= parseValues(this.#base))[key]) : loaded;
      if (text !== before) changes.push([key, text]);
    }
    return changes;
  }
}

/** The value as JSON text; null where JSON has none, as for a key that is not there. */
function textOf(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return "not serialisable, so no text of any other value";
  }
}

/** The error for data that the application's schema refuses. */
export function invalidData(problems: readonly string[]): SojournError {
  return new SojournError(
    "SOJOURN_DATA_INVALID",
    `session data does not fit the option schema: ${problems.join("; ")}. Give new keys a default or .catch() so that older sessions still load`,
    { details: { problems } },
  );
}
