/** An operation under way: settled by its outcome, or by the loss of the connection. */
import { type Bag, type Bagged, NO_PLACE } from "@sojourn/core/store";
import { toSojournError } from "./errors.ts";

/** The operations under way. */
export type Running = Bag<Bagged & Pick<UnderWay<never, unknown>, "fail" | "over" | "name">>;

/** What an operation is; `A` is what the work answers, `T` what the caller is told. */
interface Parts<A, T> {
  /** The operation, for messages. */
  readonly name: string;
  /** Holds it for as long as it is under way. */
  readonly running: Running;
  /** Reads the answer. */
  readonly decode: (answer: A) => T;
}

/** See the top of the file. */
export class UnderWay<A, T> implements Bagged {
  place: number = NO_PLACE;
  readonly name: string;
  /** What the caller is told. A read of every request comes by here: this is one promise, where `race` and `await` make eight. */
  readonly told: Promise<T>;
  readonly #running: Running;
  readonly #decode: (answer: A) => T;
  #resolve!: (answer: T) => void;
  #reject!: (error: Error) => void;
  #isOver = false;
  #waiting: (() => void)[] | null = null;

  constructor({ name, running, decode }: Parts<A, T>) {
    this.name = name;
    this.#running = running;
    this.#decode = decode;
    this.told = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    running.add(this);
  }

  /** True when it is settled. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Settles as an answer does that is on its way. */
  follow(answer: Promise<A>): void {
    answer.then(
      (it) => this.answer(it),
      (thrown: unknown) => this.fail(thrown),
    );
  }

  /** Resolves, or rejects with an answer that is an error, or cannot be read. */
  answer(answer: A): void {
    if (answer instanceof Error) return this.fail(answer);
    try {
      const told = this.#decode(answer);
      if (this.#settle()) this.#resolve(told);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** Rejects with what was thrown, as a `SojournError`; what comes of the work later is nobody's. */
  fail(thrown: unknown): void {
    if (this.#settle()) this.#reject(toSojournError(this.name, thrown));
  }

  /** Resolves when it is under way no more. */
  over(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isOver) resolve();
      else (this.#waiting ??= []).push(resolve);
    });
  }

  /** False if it was settled before. */
  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#running.remove(this);
    for (const done of this.#waiting ?? []) done();
    return true;
  }
}
