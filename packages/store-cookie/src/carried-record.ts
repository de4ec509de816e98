/** The one session that a browser carries, as its request works with it. */
import {
  changedRecord,
  endedTombstone,
  ENDING_REMEMBERED,
  expiredTombstone,
  SojournError,
  touchedRecord,
} from "@sojourn/core/store";
import type * as contract from "@sojourn/core/store";
import type {
  Clock,
  Ending,
  Found,
  RecordKey,
  StoredRecord,
  Taken,
  Tombstone,
} from "@sojourn/core/store";
import type { Epochs } from "./epochs.ts";
import { noList, tooLarge } from "./errors.ts";
import type { Carried, Verdict } from "./page.ts";
import type { RecordSealing } from "./seal.ts";

/** What it works with. */
export interface CarriedParts {
  readonly sealing: RecordSealing;
  readonly epochs: Epochs;
  readonly clock: Clock;
  /** The most characters of its sealed text. */
  readonly room: number;
}

/** What is known of it after the epochs were asked. */
type Standing =
  | { readonly status: "alive"; readonly carried: Carried }
  | {
      readonly status: "moved";
      readonly carried: Carried;
      readonly to: RecordKey;
      readonly ending: Ending;
    }
  | contract.Gone;

/** See the top of the file. Its operations keep the promises of `Store` for this one record, if one waits for the other. */
export class CarriedRecord {
  readonly #parts: CarriedParts;
  #held: Carried | null = null;
  /** What the browser must get: sealed already, to be sealed, or nothing. Undefined: it has it. */
  #news: { readonly text: string | null } | null | undefined;
  #tombstone: Tombstone | null = null;
  /** An older key sealed it. */
  #isStale = false;

  constructor(parts: CarriedParts, brought: contract.Brought["sealed"]) {
    this.#parts = parts;
    const opened = brought && parts.sealing.open(brought.key, brought.text);
    if (!opened) return;
    this.#held = opened.carried;
    this.#isStale = opened.stale;
  }

  /** The session, dead or alive; null: there is none. */
  get carried(): Carried | null {
    return this.#held;
  }

  /** Whether `ref` is this session. */
  is(ref: contract.Ref): boolean {
    const known = this.#held?.record ?? this.#tombstone;
    if (known === null) return false;
    return "key" in ref ? ref.key === known.key : ref.handle === known.handle;
  }

  async read(): Promise<Found> {
    const standing = await this.#standing();
    if (standing.status === "gone") return standing.tombstone;
    const { record } = standing.carried;
    if (standing.status === "moved") return { ...record, key: standing.to };
    if (this.#isStale) this.#news ??= { text: null };
    this.#isStale = false;
    return record;
  }

  async create(record: StoredRecord, admission?: contract.Admission): Promise<contract.Admitted> {
    if (admission !== undefined) throw noList("limit how many sessions a user has");
    this.#checkDeadline(record);
    this.#keep({ record, stamp: await this.#parts.epochs.stamp(record.owner) });
    return { status: "created", evicted: [] };
  }

  async update(change: contract.Change, expectedVersion: number): Promise<contract.Updated> {
    const standing = await this.#standing();
    if (standing.status !== "alive") return gone(standing);
    const { record, stamp } = standing.carried;
    if (record.version !== expectedVersion) return { status: "conflict", record };
    const next = changedRecord(record, change);
    this.#keep({ record: next, stamp });
    return { status: "updated", record: next };
  }

  async touch(seenAt: number, expiresAt: number): Promise<boolean> {
    const standing = await this.#standing();
    if (standing.status !== "alive") return false;
    const { record, stamp } = standing.carried;
    this.#keep({ record: touchedRecord(record, seenAt, expiresAt), stamp });
    return true;
  }

  async replace(next: StoredRecord, how: contract.Replacement): Promise<contract.Replaced> {
    if (how.admission !== undefined) throw noList("limit how many sessions a user has");
    this.#checkDeadline(next);
    const held = this.#living();
    if ("status" in held) return held;
    const { record } = held;
    if (record.version !== how.expectedVersion) return { status: "conflict", record };
    const { epochs } = this.#parts;
    const isSame = next.handle === record.handle;
    const stamp = isSame ? held.stamp : await epochs.stamp(next.owner);
    const successor = { record: next, stamp };
    // What the browser cannot carry must not end what it carries now.
    const text = this.#sealed(successor);
    const { ending, graceMs = 0 } = how;
    const verdict = await epochs.succeed(held, next, { ending, graceMs: isSame ? graceMs : 0 });
    if (verdict.status === "moved")
      return { status: "moved", record: { ...record, key: verdict.to } };
    if (verdict.status !== "alive") return goneBy(record, verdict);
    this.#held = successor;
    this.#news = { text };
    return { status: "replaced", evicted: [] };
  }

  async end(ending: Ending): Promise<Tombstone | null> {
    const held = this.#living();
    if ("status" in held || !(await this.#parts.epochs.end(held, ending))) return null;
    this.#tombstone = endedTombstone(held.record, ending);
    this.#held = null;
    this.#news = null;
    return this.#tombstone;
  }

  /** See `CarriedStore.taken`. */
  taken(): Taken | null | undefined {
    const news = this.#news;
    this.#news = undefined;
    if (!news || this.#held === null) return news === undefined ? undefined : null;
    const { key, expiresAt } = this.#held.record;
    return { key, expiresAt, text: news.text ?? this.#parts.sealing.seal(this.#held) };
  }

  /** Takes over a change, if the browser can carry it. @throws SOJOURN_DATA_TOO_LARGE */
  #keep(carried: Carried): void {
    this.#news = { text: this.#sealed(carried) };
    this.#held = carried;
    this.#isStale = false;
  }

  #sealed(carried: Carried): string {
    const { sealing, room } = this.#parts;
    const text = sealing.seal(carried);
    if (text.length > room) throw tooLarge(text.length, room);
    return text;
  }

  async #standing(): Promise<Standing> {
    const held = this.#living();
    if ("status" in held) return held;
    const verdict = await this.#parts.epochs.judge(held);
    const isThere = verdict.status === "alive" || verdict.status === "moved";
    return isThere ? { ...verdict, carried: held } : goneBy(held.record, verdict);
  }

  /** The session by its own deadlines. */
  #living(): Carried | contract.Gone {
    const held = this.#held;
    if (held === null) return { status: "gone", tombstone: this.#tombstone };
    if (this.#parts.clock.now() < held.record.expiresAt) return held;
    return { status: "gone", tombstone: expiredTombstone(held.record) };
  }

  /** What was revoked is remembered for so long, and no longer. */
  #checkDeadline({ absoluteExpiresAt }: StoredRecord): void {
    if (absoluteExpiresAt - this.#parts.clock.now() <= ENDING_REMEMBERED) return;
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      "cookieStore(): the absolute timeout of a session must be at most '400d'",
    );
  }
}

/** To a request whose token was replaced meanwhile: it may read, and its browser has another record by now. */
function gone(standing: Exclude<Standing, { status: "alive" }>): contract.Gone {
  if (standing.status === "gone") return standing;
  const { carried, ending } = standing;
  return { status: "gone", tombstone: endedTombstone(carried.record, ending) };
}

function goneBy(
  record: StoredRecord,
  verdict: Exclude<Verdict, { status: "alive" | "moved" }>,
): contract.Gone {
  const isKnown = verdict.status === "ended";
  return { status: "gone", tombstone: isKnown ? endedTombstone(record, verdict.ending) : null };
}
