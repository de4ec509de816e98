/** Writes changed data: compare-and-set, and after a conflict this request's changes on the newer record. */
import { SojournError } from "../errors.ts";
import { deadline } from "../policy/expiry.ts";
import {
  applyChanges,
  type Changes,
  EMPTY_DATA,
  keysOf,
  NO_CHANGES,
  parseValues,
} from "../session/data.ts";
import { ANONYMOUS, type Facts } from "../session/payload.ts";
import type { Passed } from "../session/queue.ts";
import type { SessionState } from "../session/state.ts";
import type { Change, StoredRecord, Tombstone, Updated } from "../store/contract.ts";
import { draftSession, newFacts, store, takeOver } from "./create.ts";
import { principalOf } from "../policy/principal.ts";
import {
  adopt,
  checkedText,
  dropChanges,
  type Engine,
  readAlive,
  sessionEnded,
  timeoutsOf,
} from "./engine.ts";

/** The first write of an anonymous session: its present data, or the text that is given. */
export async function createAnonymous(
  engine: Engine,
  state: SessionState,
  dataText: string = state.data.text(),
): Promise<void> {
  const sent = state.data.text();
  const facts = newFacts(engine, {
    facts: ANONYMOUS,
    principal: null,
    data: () => state.data.peek(),
    client: state.exchange.newClient(),
  });
  const { reserved } = state;
  const draft = draftSession(engine, { principal: null, facts, dataText, reserved });
  await store(engine, draft, undefined);
  takeOver(state, draft, sent);
  engine.events.emit("created", { handle: draft.record.handle, principal: null });
}

/**
 * Writes what this request changed, and `news` among the facts.
 * @throws SOJOURN_SESSION_ENDED, SOJOURN_UPDATE_CONFLICT
 */
export function writeChanges(
  engine: Engine,
  state: SessionState,
  changes: Changes,
  news: Partial<Facts> | null = null,
): Promise<void> {
  const loaded = state.data.loadedText;
  // Most often nobody else has written: then the text as it stands is what the changes make of it.
  const edit = (text: string, present: string): string =>
    text === loaded ? present : applyChanges(text, changes);
  return compareAndSet(engine, state, { edit, changes, news });
}

/** `session.update`. @throws SOJOURN_SESSION_ENDED, SOJOURN_UPDATE_CONFLICT */
export async function update(
  engine: Engine,
  state: SessionState,
  change: (data: Record<string, unknown>) => void,
): Promise<void> {
  if (state.phase === "ended") throw sessionEnded(state.ending);
  const changes = state.data.changes() ?? NO_CHANGES;
  const edit = (text: string): string => edited(engine, applyChanges(text, changes), change);
  if (state.phase === "alive")
    return compareAndSet(engine, state, { edit, changes: NO_CHANGES, news: null });
  return createAnonymous(engine, state, edit(EMPTY_DATA));
}

/** The text as `change` leaves it. @throws SOJOURN_ADAPTER_MISUSE when `change` is asynchronous */
export function edited(
  engine: Engine,
  text: string,
  change: (data: Record<string, unknown>) => void,
): string {
  const values = parseValues(text);
  const returned: unknown = change(values);
  if (returned instanceof Promise) {
    returned.catch(() => {});
    throw new SojournError(
      "SOJOURN_ADAPTER_MISUSE",
      "the function given to update() is asynchronous: do the waiting before, and only change the data in it",
    );
  }
  return checkedText(engine, values);
}

interface Edit {
  /** Turns the newest text into the one to write; `present` is this request's own. */
  readonly edit: (text: string, present: string) => string;
  /** What the event names. */
  readonly changes: Changes;
  /** Facts that are other than they were. */
  readonly news: Partial<Facts> | null;
}

/**
 * Rejects with SOJOURN_SESSION_ENDED, SOJOURN_UPDATE_CONFLICT and the errors of the store.
 * @throws SOJOURN_SESSION_ENDED, SOJOURN_DATA_UNSERIALISABLE, at once
 */
function compareAndSet(engine: Engine, state: SessionState, edit: Edit): Promise<void> {
  if (!state.record) throw sessionEnded(state.ending);
  const { handle } = state.record;
  const write = new Write(engine, state, state.record, edit);
  return engine.queue.run(handle, engine.store.deadlineMs, (latest) => write.run(latest));
}

/** What one try writes. */
interface Draft {
  readonly facts: Facts;
  readonly text: string;
  readonly change: Change;
}

/** One write of a session, tried again on the newer record where another has written before. */
class Write {
  readonly #engine: Engine;
  readonly #state: SessionState;
  /** The session as the request knows it. */
  readonly #record: StoredRecord;
  readonly #facts: Facts;
  readonly #edit: Edit;
  /** This request's data as it is now. */
  readonly #sent: string;
  readonly #giveUpAt: number;

  constructor(engine: Engine, state: SessionState, record: StoredRecord, edit: Edit) {
    this.#engine = engine;
    this.#state = state;
    this.#record = record;
    this.#facts = state.facts;
    this.#edit = edit;
    this.#sent = state.data.text();
    this.#giveUpAt = performance.now() + engine.store.deadlineMs;
  }

  /** @param latest the record as the write before it has left it; null: as the request knows it */
  async run(latest: StoredRecord | null): Promise<Passed<void>> {
    let base = latest ?? this.#record;
    for (let attempt = 1; ; attempt++) {
      const draft = this.#draftOn(base);
      const written = await this.#send(draft.change, base.version, attempt);
      if (written.status === "gone") throw this.#ended(written.tombstone);
      if (written.status === "updated") return this.#written(written.record, draft);
      if (performance.now() > this.#giveUpAt) throw conflict(attempt);
      base = written.record;
    }
  }

  #draftOn(base: StoredRecord): Draft {
    const { codec, settings } = this.#engine;
    const { edit, news } = this.#edit;
    const { factsText, dataText } = codec.open(base);
    const known = base === this.#record ? this.#facts : codec.facts(base, factsText);
    const facts = news === null ? known : { ...known, ...news };
    const text = edit(dataText, this.#sent);
    const payload =
      news === null ? codec.close(base, factsText, text) : codec.encode(base, facts, text);
    const seenAt = settings.clock.now();
    const expiresAt = deadline(timeoutsOf(this.#engine, facts), seenAt, base.absoluteExpiresAt);
    return { facts, text, change: { payload, seenAt, expiresAt } };
  }

  /** By the key that this request was let in with: a token that was replaced meanwhile is refused. */
  #send(change: Change, version: number, attempt: number): Promise<Updated> {
    const { kind, key } = this.#record;
    const { store: caller } = this.#engine;
    // Waiting in line counts; a store that answered with a conflict is there, and gets its time.
    const leftMs = Math.max(1, Math.ceil(this.#giveUpAt - performance.now()));
    const withinMs = attempt === 1 ? leftMs : caller.deadlineMs;
    return caller.call("update", (to) => to.update({ kind, key }, change, version), { withinMs });
  }

  #written(latest: StoredRecord, { facts, text }: Draft): Passed<void> {
    const [engine, state] = [this.#engine, this.#state];
    const { handle, key } = this.#record;
    noteDeadline(engine, state, latest.seenAt);
    state.live(latest.key === key ? latest : { ...latest, key }, facts);
    state.data.written(text, this.#sent);
    state.touchWanted = false;
    state.payloadStale = false;
    if (engine.events.wants("committed")) {
      const keys = keysOf(this.#edit.changes);
      engine.events.emit("committed", { handle, principal: principalOf(latest), keys });
    }
    return { value: undefined, latest };
  }

  #ended(tombstone: Tombstone | null): SojournError {
    dropChanges(this.#engine, this.#state, tombstone);
    return sessionEnded(this.#state.ending);
  }
}

/**
 * A persistent cookie follows the deadline, each time that it slides: nobody knows when the browser
 * got its cookie last, and one that lags behind would log a busy user out.
 */
export function noteDeadline(engine: Engine, state: SessionState, seenAt: number): void {
  const { record, exchange, facts } = state;
  if (!record || state.graced || exchange.rotated || !engine.settings.cookies.persistent) return;
  if (timeoutsOf(engine, facts).idle !== null && seenAt > record.seenAt)
    exchange.resendCookie = true;
}

/** `session.reload`. @throws SOJOURN_SESSION_ENDED */
export async function reload(engine: Engine, state: SessionState): Promise<void> {
  if (state.phase === "ended") throw sessionEnded(state.ending);
  const { record } = state;
  if (!record) return state.data.load(EMPTY_DATA);
  const found = await readAlive(engine, state, record);
  state.data.load(engine.codec.decode(found).dataText);
  adopt(engine, state, { ...found, key: record.key });
}

/** The error for a session that others change all the time. */
export function conflict(attempts: number): SojournError {
  return new SojournError(
    "SOJOURN_UPDATE_CONFLICT",
    `other processes changed this session faster than it could be written (${attempts} attempts); nothing was written, try again`,
  );
}
