/** What is known of endings: by a ledger in a store, or nothing at all. */
import type { Clock, Ending, Handle, OwnerKey, RecordKey, StoredRecord } from "@sojourn/core/store";
import { Ledger, type LedgerParts } from "./ledger.ts";
import {
  type Carried,
  EMPTY,
  epochIn,
  type Everyone,
  judge,
  judgeSession,
  type Known,
  longest,
  outlived,
  type Page,
  type Stamp,
  type Verdict,
  withEnded,
  withEpoch,
  withEveryone,
} from "./page.ts";

/** How a session goes on under another key. */
export interface Succession {
  readonly ending: Ending;
  /** How long the old key still counts, in ms; only where the handle stays. */
  readonly graceMs: number;
}

/** The session to spare, as a revocation knows it: with its record where the request that asks has it. */
export interface Spared {
  readonly handle: Handle;
  readonly carried: Carried | null;
}

/** What the store asks of the endings, and tells them. */
export interface Epochs {
  /** The epochs that a session begins in which is created now. */
  stamp(owner: OwnerKey | null): Promise<Stamp>;
  judge(carried: Carried): Promise<Verdict>;
  /** Why a handle is no more, where that is known. */
  endingOf(handle: Handle): Promise<Ending | null>;
  /** Ends a session; false where something else had ended it. */
  end(carried: Carried, ending: Ending): Promise<boolean>;
  /** As {@link end}, for a session that only its handle is known of. */
  endHandle(handle: Handle, ending: Ending): Promise<boolean>;
  /** Puts `next` in place of a session; the verdict over that one. Nothing happens unless it is alive. */
  succeed(carried: Carried, next: StoredRecord, how: Succession): Promise<Verdict>;
  /** Ends all of an owner but one; false where that one is over itself, or another's: then nothing ended. */
  endOwner(owner: OwnerKey, ending: Ending, spared: Spared | null): Promise<boolean>;
  endAll(ending: Ending): Promise<void>;
}

/** What {@link LedgerEpochs} are made of. */
export interface EpochsParts extends LedgerParts {
  /** For how long the page of everyone may be as it was read last, in ms. */
  readonly everyoneEveryMs: number;
}

/** By a ledger. Judging takes two reads at once, or one while the page of everyone is fresh enough. */
export class LedgerEpochs implements Epochs {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #everyMs: number;
  #everyone: { readonly everyone: Everyone | null; readonly until: number } | null = null;

  constructor({ everyoneEveryMs, ...parts }: EpochsParts) {
    this.#ledger = new Ledger(parts);
    this.#clock = parts.clock;
    this.#everyMs = everyoneEveryMs;
  }

  async stamp(owner: OwnerKey | null): Promise<Stamp> {
    const [page, everyone] = await Promise.all([
      owner === null ? EMPTY : this.#ledger.pageOf(owner),
      this.#readEveryone(),
    ]);
    const { epoch } = everyone ?? (await this.#beginEveryone());
    return { owner: epochIn(page, owner ?? ""), everyone: epoch };
  }

  async judge(carried: Carried): Promise<Verdict> {
    const [page, everyone] = await Promise.all([
      this.#ledger.pageOf(carried.record.key),
      this.#everyoneFor(carried),
    ]);
    return judge(carried, { page, everyone, now: this.#clock.now() });
  }

  async endingOf(handle: Handle): Promise<Ending | null> {
    return (await this.#ledger.pageOf(handle)).ended.get(handle)?.ending ?? null;
  }

  async end(carried: Carried, ending: Ending): Promise<boolean> {
    const everyone = await this.#everyoneFor(carried);
    const { record } = carried;
    return this.#ledger.change(record.handle, (page) => {
      // By its handle it ends also where its key was replaced: what has the later key may live longer.
      const isReplaced = page.ended.has(record.key);
      const { status } = judgeSession(carried, { page, everyone });
      if (status !== "alive") return { page: null, answer: false };
      const until = isReplaced ? longest(this.#clock.now()) : outlived(record);
      return { page: withEnded(page, record.handle, { ending, until }), answer: true };
    });
  }

  endHandle(handle: Handle, ending: Ending): Promise<boolean> {
    return this.#ledger.change(handle, (page) => {
      if (page.ended.has(handle)) return { page: null, answer: false };
      const until = longest(this.#clock.now());
      return { page: withEnded(page, handle, { ending, until }), answer: true };
    });
  }

  async succeed(carried: Carried, next: StoredRecord, how: Succession): Promise<Verdict> {
    const everyone = await this.#everyoneFor(carried);
    return this.#ledger.change(carried.record.key, (page) => {
      const now = this.#clock.now();
      const verdict = judge(carried, { page, everyone, now });
      // In its grace time a key is not replaced once more, but every other change of privileges goes on from it.
      const goesOn = verdict.status === "moved" ? how.graceMs === 0 : verdict.status === "alive";
      if (!goesOn) return { page: null, answer: verdict };
      const { record } = carried;
      const present = verdict.status === "moved" ? verdict.to : record.key;
      const answer: Verdict = { status: "alive" };
      return { page: succession(page, { record, present, next, how, now }), answer };
    });
  }

  async endOwner(owner: OwnerKey, ending: Ending, spared: Spared | null): Promise<boolean> {
    const everyone = spared?.carried ? await this.#everyoneFor(spared.carried) : null;
    return this.#ledger.change(owner, (page) => {
      const now = this.#clock.now();
      if (spared !== null && isOver(owner, spared, { page, everyone, now }))
        return { page: null, answer: false };
      return {
        page: withEpoch(page, owner, { ending, now, spared: spared?.handle }),
        answer: true,
      };
    });
  }

  async endAll(ending: Ending): Promise<void> {
    await this.#ledger.changeEveryone((page) => ({
      page: withEveryone(page, ending),
      answer: undefined,
    }));
    this.#everyone = null;
  }

  /** An epoch for those who are created first: without one, a ledger that was lost would look like a new one. */
  #beginEveryone(): Promise<Everyone> {
    return this.#ledger.changeEveryone((page) => {
      if (page.everyone !== null) return { page: null, answer: page.everyone };
      const next = withEveryone(page, null);
      return { page: next, answer: next.everyone };
    });
  }

  /** What is known of everyone, for a session: another epoch than its own is never believed without a look. */
  async #everyoneFor({ stamp }: Carried): Promise<Everyone | null> {
    const known = this.#everyone;
    const isFresh = known !== null && this.#clock.now() < known.until;
    if (isFresh && known.everyone?.epoch === stamp.everyone) return known.everyone;
    return this.#readEveryone();
  }

  async #readEveryone(): Promise<Everyone | null> {
    const until = this.#clock.now() + this.#everyMs;
    const { everyone } = await this.#ledger.everyone();
    this.#everyone = { everyone, until };
    return everyone;
  }
}

/** The session to spare is known to be over, or another owner's. */
function isOver(owner: OwnerKey, { handle, carried }: Spared, known: Known): boolean {
  if (carried === null) return known.page.ended.has(handle);
  return carried.record.owner !== owner || judgeSession(carried, known).status !== "alive";
}

/** What takes the place of a session: `present` is the key that this one has by now. */
interface Handover {
  readonly record: StoredRecord;
  readonly present: RecordKey;
  readonly next: StoredRecord;
  readonly how: Succession;
  readonly now: number;
}

/** The page after a session was replaced. */
function succession(page: Page, { record, present, next, how, now }: Handover): Page {
  const { ending, graceMs } = how;
  if (next.handle !== record.handle) {
    const until = present === record.key ? outlived(record) : longest(now);
    return withEnded(page, record.handle, { ending, until });
  }
  const moved = graceMs > 0 ? { moved: { to: next.key, until: ending.at + graceMs } } : {};
  return withEnded(page, present, { ending, until: outlived(record), ...moved });
}
