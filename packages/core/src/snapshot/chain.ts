/** A digest of everything so far, so that each seal of a snapshot answers for all lines before it. */
import { createHash } from "node:crypto";

/** SHA-256 over lines, to be looked at on the way. */
export class Chain {
  readonly #hash = createHash("sha256");

  add(line: string): void {
    this.#hash.update(line).update("\n");
  }

  /** Of all lines until now; base64url. */
  digest(): string {
    return this.#hash.copy().digest("base64url");
  }
}
