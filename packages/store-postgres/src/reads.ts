/** Reads of one turn of the event loop are one statement: a statement costs several times what it reads, here and there. */
// By name, for clocks that tests put in its place leave this one alone.
import { setImmediate } from "node:timers";
import type { FoundRow, Row } from "./answers.ts";

/** Keys of one statement: with more, the server would have nothing to do while they are gathered. */
const MOST = 16;

/** Who asked for a key, and is told its row. */
interface Asked {
  readonly key: string;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads keys of a kind; the answer has no row of a key where nothing is. */
type ReadKeys = (kind: string, keys: readonly string[]) => Promise<readonly FoundRow[]>;

/** What is to be read when the turn ends. */
export class Reads {
  readonly #read: ReadKeys;
  #kind = "";
  #asked: Asked[] = [];

  constructor(read: ReadKeys) {
    this.#read = read;
  }

  /** The row at a key, or undefined. */
  at(kind: string, key: string): Promise<Row | undefined> {
    if (kind !== this.#kind || this.#asked.length === MOST) this.send();
    if (this.#asked.length === 0) setImmediate(() => this.send());
    this.#kind = kind;
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, resolve, reject });
    });
  }

  /** Asks what waits for the end of the turn. */
  send(): void {
    const asked = this.#asked;
    this.#asked = [];
    if (asked.length > 0) void this.#ask(asked);
  }

  async #ask(asked: readonly Asked[]): Promise<void> {
    try {
      const keys = asked.map(({ key }) => key);
      const rows = new Map<number, Row>();
      for (const row of await this.#read(this.#kind, keys)) rows.set(Number(row.place), row);
      for (const [place, { resolve }] of asked.entries()) resolve(rows.get(place + 1));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
