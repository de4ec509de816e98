/** An update by key. */
import type { Change, Updated } from "@sojourn/core/store";
import { updated } from "./answers.ts";
import type { KeyRef } from "./names.ts";
import type { Arguments } from "./scripts.ts";
import { assertChange } from "./storable.ts";
import { Asked, type Together } from "./together.ts";

/** Characters of a payload that others do not wait with. */
const LONG = 65_536;

/** See `Store.update`. */
export class Update extends Asked<Updated> {
  readonly name = "update";
  readonly #change: Change;
  readonly #expectedVersion: number;

  constructor(together: Together<Updated>, ref: KeyRef, change: Change, expectedVersion: number) {
    super(together, ref);
    this.#change = change;
    this.#expectedVersion = expectedVersion;
  }

  override begin(): void {
    assertChange(this.#change);
    super.begin();
  }

  get isLong(): boolean {
    return this.#change.payload.length > LONG;
  }

  tell(args: Arguments): void {
    const { seenAt, expiresAt, payload } = this.#change;
    args.push(this.ref.key, `${this.#expectedVersion} ${seenAt} ${expiresAt}`, payload);
  }

  protected decode(answer: unknown): Updated {
    return updated(this.ref, answer, this.#change.payload);
  }
}
