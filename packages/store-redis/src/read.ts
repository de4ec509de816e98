/** A read by key. */
import type { Found } from "@sojourn/core/store";
import { foundAt } from "./answers.ts";
import type { Arguments } from "./scripts.ts";
import { Asked } from "./together.ts";

/** See `Store.read`. */
export class Read extends Asked<Found> {
  readonly name = "read";
  readonly isLong = false;

  tell(args: Arguments): void {
    args.push(this.ref.key);
  }

  protected decode(answer: unknown): Found {
    return foundAt(this.ref, answer);
  }
}
