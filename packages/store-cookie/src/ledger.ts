/** The ledger: pages of endings in an ordinary store, one for each tag and one for everyone; written by compare-and-set. */
import { hash } from "node:crypto";
import { isSojournError, isTombstone, SojournError, tagOf } from "@sojourn/core/store";
import type { Clock, Handle, OwnerKey, RecordKey, Store, StoredRecord } from "@sojourn/core/store";
import { corruptPage } from "./errors.ts";
import { EMPTY, forget, type Page } from "./page.ts";
import { pageText, parsePage } from "./page-text.ts";

/** What a ledger is made of. */
export interface LedgerParts {
  readonly store: Store;
  /** The kind of the sessions. */
  readonly kind: string;
  readonly clock: Clock;
}

/** A page as it is to be, or null to leave it; and the answer for whoever asked. */
export interface Edit<T> {
  readonly page: Page | null;
  readonly answer: T;
}

/** A page lives as long as the store: an expired record could not be written again. */
const NEVER = Date.UTC(9999, 0, 1);
/** Others may be faster for so long, in ms. */
const PATIENCE = 10_000;
/** Any tag will do for the page of everyone. */
const COMMON_TAG = "AAA";

/** See the top of the file. */
export class Ledger {
  readonly #store: Store;
  readonly #kind: string;
  readonly #clock: Clock;

  constructor({ store, kind, clock }: LedgerParts) {
    this.#store = store;
    this.#kind = `epoch:${kind}`;
    this.#clock = clock;
  }

  /** The page of all that shares a tag. */
  pageOf(id: RecordKey | Handle | OwnerKey): Promise<Page> {
    return this.#page(tagOf(id));
  }

  /** The page of everyone. */
  everyone(): Promise<Page> {
    return this.#page(null);
  }

  /** Changes the page of a tag: `edit` is asked again when somebody else was faster. @throws SOJOURN_UPDATE_CONFLICT */
  change<T>(id: RecordKey | Handle | OwnerKey, edit: (page: Page) => Edit<T>): Promise<T> {
    return this.#change(tagOf(id), edit);
  }

  /** As {@link change}, of the page of everyone. */
  changeEveryone<T>(edit: (page: Page) => Edit<T>): Promise<T> {
    return this.#change(null, edit);
  }

  async #page(tag: string | null): Promise<Page> {
    const record = await this.#read(tag);
    return record === null ? EMPTY : parsePage(record.payload);
  }

  async #change<T>(tag: string | null, edit: (page: Page) => Edit<T>): Promise<T> {
    const giveUpAt = performance.now() + PATIENCE;
    let record = await this.#read(tag);
    do {
      const { page, answer } = edit(record === null ? EMPTY : parsePage(record.payload));
      if (page === null) return answer;
      const newer = await this.#write(tag, record, pageText(forget(page, this.#clock.now())));
      if (newer === "written") return answer;
      record = newer;
    } while (performance.now() < giveUpAt);
    throw new SojournError(
      "SOJOURN_UPDATE_CONFLICT",
      `other processes changed the epochs of cookieStore() faster than this one for ${PATIENCE} ms; nothing was written, try again`,
    );
  }

  async #read(tag: string | null): Promise<StoredRecord | null> {
    const found = await this.#store.read({ kind: this.#kind, key: this.#keyOf(tag) });
    if (found !== null && isTombstone(found)) throw corruptPage();
    return found;
  }

  /** `written`, or what somebody else wrote in between. */
  async #write(
    tag: string | null,
    record: StoredRecord | null,
    payload: string,
  ): Promise<"written" | StoredRecord | null> {
    const seenAt = this.#clock.now();
    if (record === null) return this.#create(tag, payload);
    const { kind, key, version } = record;
    const change = { payload, seenAt, expiresAt: NEVER };
    const result = await this.#store.update({ kind, key }, change, version);
    if (result.status === "gone") throw corruptPage();
    return result.status === "updated" ? "written" : result.record;
  }

  async #create(tag: string | null, payload: string): Promise<"written" | StoredRecord | null> {
    const now = this.#clock.now();
    const head = tag ?? COMMON_TAG;
    const key = this.#keyOf(tag);
    try {
      await this.#store.create({
        kind: this.#kind,
        key,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- has the form of one
        handle: (head + key.slice(head.length + 1, head.length + 17)) as Handle,
        // Records of nobody are the first to go when a store is full.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- has the form of one
        owner: `${head}.epochs` as OwnerKey,
        version: 1,
        createdAt: now,
        seenAt: now,
        expiresAt: NEVER,
        absoluteExpiresAt: NEVER,
        payload,
      });
      return "written";
    } catch (error) {
      if (!isSojournError(error) || error.code !== "SOJOURN_RECORD_EXISTS") throw error;
      return this.#read(tag);
    }
  }

  #keyOf(tag: string | null): RecordKey {
    const digest = hash("sha256", `sojourn ${this.#kind} ${tag ?? "everyone"}`, "base64url");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- has the form of one
    return `${tag ?? COMMON_TAG}.${digest}` as RecordKey;
  }
}
