/** What the bench asks of a contender's process, and what it answers. */

import type { HeapUse } from "./heap.ts";
import type { TimeByOwner } from "./profile.ts";

/** A question. */
export type Question =
  /** Sessions number `from` to `from + count`, each of the user `from / perUser`; their cookies, unless `forget`. */
  | {
      readonly ask: "seed";
      readonly from: number;
      readonly count: number;
      readonly perUser: number;
      readonly forget: boolean;
    }
  /** CPU time used so far, in µs. */
  | { readonly ask: "cpu" }
  /** Bytes of the heap after two collections. */
  | { readonly ask: "heap" }
  /** Begins to count what is allocated. */
  | { readonly ask: "count-allocation" }
  /** What came to the heap since. */
  | { readonly ask: "allocated" }
  /** Begins to sample whose code runs. */
  | { readonly ask: "sample" }
  /** µs since, by whose code it was. */
  | { readonly ask: "sampled" };

/** The answer to each. */
export interface Answers {
  readonly seed: readonly string[];
  readonly cpu: number;
  readonly heap: number;
  readonly "count-allocation": null;
  readonly allocated: HeapUse;
  readonly sample: null;
  readonly sampled: TimeByOwner;
}

/** What the process sends: first its port, then an answer to each question, in order. */
export type Sent =
  | { readonly port: number }
  | { readonly answer: Answers[keyof Answers] }
  | { readonly error: string };
