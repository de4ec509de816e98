/** What waits for the store, told to it in the order that keeps its meaning. */
import type { OwnerKey, Ref, Store } from "../store/contract.ts";
import type { StoreCaller } from "../store/guard.ts";
import type { Condemned } from "./condemned.ts";
import type { ProvisionalRecords } from "./provisional.ts";

/** See the top of the file. */
export class Backlog {
  readonly #provisional: ProvisionalRecords;
  readonly #condemned: Condemned;

  constructor(provisional: ProvisionalRecords, condemned: Condemned) {
    this.#provisional = provisional;
    this.#condemned = condemned;
  }

  get size(): number {
    return this.#provisional.size + this.#condemned.size;
  }

  /** Hands one session over, if it is provisional; whatever came before it must not end it. */
  async settle(ref: Ref, to: Store): Promise<void> {
    const record = await this.#provisional.alive(ref);
    if (record) {
      await this.#condemned.carryOut(
        (_, tell) => tell(to),
        ({ ending, matches }) => ending.at <= record.createdAt && matches(record),
      );
    }
    await this.#provisional.settle(ref, to);
  }

  /** Hands over all provisional sessions, or those of one owner. */
  async settleAll(to: Store, owner?: OwnerKey): Promise<void> {
    for (const ref of this.#provisional.refs(owner)) await this.settle(ref, to);
  }

  /** Tells all. @throws SOJOURN_STORE_… when something could not be told */
  async clear(caller: StoreCaller): Promise<void> {
    for (const ref of this.#provisional.refs()) {
      await caller.call("adopt", (store) => this.settle(ref, store));
    }
    await this.#condemned.carryOut((operation, tell) => caller.call(operation, tell));
  }
}
