/** What the application has acknowledged, and what later answers say about it. */
import { Control } from "./control.ts";
import type { Entry } from "./control.ts";
import type { Reply } from "./http.ts";
import type { Answer, User } from "./words.ts";

/** A session whose cookie some browser was given. */
export interface Known {
  readonly handle: string;
  readonly user: User | null;
  readonly cookie: string;
  readonly begun: Entry;
  /** Acknowledged increments. */
  readonly counts: { readonly n: number; readonly entry: Entry }[];
  /**
   * How it may end without an acknowledgement: as somebody tried, by a limit, or by a revocation of
   * all of a user's, which a process that was cut off may carry out much later.
   */
  readonly causes: Set<string>;
  /** The first acknowledgement that it has ended, or the first answer that said so. */
  ended: Entry | null;
  /** The latest instant at which a request was sent that found it alive. */
  aliveAt: number;
}

const TAG_LENGTH = 3;

/** The acknowledgements of one run. */
export class Ledger {
  readonly sessions: Known[] = [];
  readonly graveyard: Known[] = [];
  /** Acknowledged commits that a later answer does not know. */
  readonly lost = new Map<Entry, string>();
  /** Endings that a later answer does not know. */
  readonly undead = new Map<Entry, string>();
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  /** A session that began. */
  begun(reply: Reply, { handle, n }: Answer, user: User | null): Known | null {
    if (handle === null || reply.cookie === null) return null;
    const begun = this.#note(handle, reply);
    const causes = new Set(user === null ? [] : ["revoked", ...(user.onLimit ? ["evicted"] : [])]);
    const { cookie, endedAt: aliveAt } = reply;
    const known = { handle, user, cookie, begun, counts: [], causes, ended: null, aliveAt };
    this.sessions.push(known);
    if (n > 0) this.counted(known, n, reply);
    return known;
  }

  /** An increment that was acknowledged. */
  counted(known: Known, n: number, reply: Reply): void {
    known.counts.push({ n, entry: this.#note(known.handle, reply) });
  }

  /** An ending that was acknowledged. */
  ended(known: Known, reply: Reply): void {
    if (known.ended !== null) return;
    known.ended = this.#note(known.handle, reply);
    this.graveyard.push(known);
  }

  /** What an answer to this session's cookie says. */
  saw(known: Known, answer: Answer, reply: Reply): void {
    if (answer.handle === known.handle) this.#sawAlive(known, answer.n, reply.startedAt);
    else this.#sawDead(known, answer.ending, reply);
  }

  /** Of increments with the same result one is lost: the earlier. */
  repeated(): void {
    for (const { counts, handle } of this.sessions) {
      const latest = new Map<number, Entry>();
      for (const { n, entry } of counts.toSorted((x, y) => x.entry.ackedAt - y.entry.ackedAt)) {
        const earlier = latest.get(n);
        if (earlier) this.lost.set(earlier, `${handle}: ${n} was the answer twice`);
        latest.set(n, entry);
      }
    }
  }

  #sawAlive(known: Known, n: number, startedAt: number): void {
    const { ended, handle } = known;
    known.aliveAt = Math.max(known.aliveAt, startedAt);
    if (ended !== null && startedAt > ended.ackedAt) {
      const late = Math.round(startedAt - ended.ackedAt);
      this.undead.set(ended, `${handle}: alive ${late} ms after its end`);
    }
    for (const count of known.counts) {
      if (count.n <= n || count.entry.ackedAt >= startedAt) continue;
      this.lost.set(count.entry, `${handle}: ${n} after ${count.n} was acknowledged`);
    }
  }

  #sawDead(known: Known, ending: Answer["ending"], reply: Reply): void {
    if (known.ended !== null || reply.startedAt < known.begun.ackedAt) return;
    if (ending !== null && known.causes.has(ending)) return this.ended(known, reply);
    const how = ending === null ? "unknown" : `${ending}, which nobody asked for`;
    for (const entry of [known.begun, ...known.counts.map((count) => count.entry)]) {
      this.lost.set(entry, `${known.handle}: ${how}`);
    }
  }

  #note(handle: string, reply: Reply): Entry {
    return this.#control.note(handle.slice(0, TAG_LENGTH), reply);
  }
}
