/** Lets the commits of one session in this process pass one by one, so that they do not collide. */
import { RenewedMap } from "../collections/renewed-map.ts";
import { SojournError } from "../errors.ts";
import type { Handle, StoredRecord } from "../store/contract.ts";
import { withDeadline } from "../store/deadline.ts";

interface Line {
  readonly handle: Handle;
  waiting: number;
  /** Settled when all that have come so far are done. */
  tail: Promise<unknown> | null;
  latest: StoredRecord | null;
}

/** What a commit left behind, for the next in line. */
export interface Passed<T> {
  readonly value: T;
  /** The record as this commit left it, or null if it does not know. */
  readonly latest: StoredRecord | null;
}

/** One line for each session that is being committed; empty lines are forgotten. */
export class CommitQueue {
  readonly #lines = new RenewedMap<Handle, Line>();

  /**
   * Waits for the commits ahead, then runs `commit` with the newest record that they left.
   * @throws SOJOURN_STORE_TIMEOUT after `deadlineMs` in line; `commit` is then not run
   */
  run<T>(
    handle: Handle,
    deadlineMs: number,
    commit: (latest: StoredRecord | null) => Promise<Passed<T>>,
  ): Promise<T> {
    const found = this.#lines.get(handle);
    const line: Line = found ?? { handle, waiting: 0, tail: null, latest: null };
    line.waiting++;
    if (!found) this.#lines.set(handle, line);
    const ahead = line.tail && Promise.allSettled([line.tail]);
    const passed = this.#pass(
      line,
      ahead
        ? withDeadline(ahead, deadlineMs, () => tooLong(deadlineMs)).then(() => commit(line.latest))
        : commit(null),
    );
    line.tail = ahead ? Promise.allSettled([ahead, passed]) : passed;
    return passed;
  }

  /** Resolves when nothing is being committed. */
  async idle(): Promise<void> {
    while (this.#lines.size > 0)
      await Promise.allSettled(this.#lines.values().flatMap(({ tail }) => tail ?? []));
  }

  #pass<T>(line: Line, done: Promise<Passed<T>>): Promise<T> {
    return done.then(
      ({ value, latest }) => {
        line.latest = latest;
        this.#leave(line);
        return value;
      },
      (error: unknown) => {
        this.#leave(line);
        throw error;
      },
    );
  }

  #leave(line: Line): void {
    line.waiting--;
    if (line.waiting === 0) this.#lines.delete(line.handle);
  }
}

function tooLong(deadlineMs: number): SojournError {
  return new SojournError(
    "SOJOURN_STORE_TIMEOUT",
    `waited ${deadlineMs} ms for earlier commits of the same session, which wait for the store`,
  );
}
