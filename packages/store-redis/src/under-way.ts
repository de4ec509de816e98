/** An operation under way: settled by its outcome, or by the loss of the connection. */
import { type Bag, type Bagged, NO_PLACE } from "@sojourn/core/store";
import { toSojournError } from "./errors.ts";

/** The operations under way. */
export type Running = Bag<Bagged & Pick<UnderWay<unknown>, "fail" | "over" | "name">>;

/** See the top of the file; `T` is what the caller is told. */
export abstract class UnderWay<T> implements Bagged {
  place: number = NO_PLACE;
  /** The operation, for messages. */
  abstract readonly name: string;
  /** What the caller is told. A read of every request comes by here: this is one promise, where `race` and `await` make eight. */
  readonly told: Promise<T>;
  #running: Running | null = null;
  #resolve!: (answer: T) => void;
  #reject!: (error: Error) => void;
  #isOver = false;
  #waiting: (() => void)[] | null = null;

  constructor() {
    this.told = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Sends what it asks; its outcome comes to {@link answer} or {@link fail}. */
  abstract begin(): void;

  /** What the caller is told for an answer. */
  protected abstract decode(answer: unknown): T;

  /** It is among these for as long as it is under way. */
  join(running: Running): void {
    this.#running = running;
    running.add(this);
  }

  /** True when it is settled. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Settles as an answer does that is on its way. */
  follow(answer: Promise<unknown>): void {
    answer.then(
      (it) => this.answer(it),
      (thrown: unknown) => this.fail(thrown),
    );
  }

  /** Resolves, or rejects with an answer that is an error, or cannot be read. */
  answer(answer: unknown): void {
    if (answer instanceof Error) return this.fail(answer);
    try {
      const told = this.decode(answer);
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
    this.#running?.remove(this);
    for (const done of this.#waiting ?? []) done();
    return true;
  }
}

/** What an operation of its own does. */
interface Parts<A, T> {
  readonly name: string;
  readonly work: () => Promise<A>;
  /** Reads the answer. */
  readonly decode: (answer: A) => T;
}

/** One that asks for itself alone. */
export class Work<A, T> extends UnderWay<T> {
  readonly name: string;
  readonly #work: () => Promise<A>;
  readonly #decode: (answer: A) => T;

  constructor({ name, work, decode }: Parts<A, T>) {
    super();
    this.name = name;
    this.#work = work;
    this.#decode = decode;
  }

  begin(): void {
    this.follow(this.#work());
  }

  protected decode(answer: A): T {
    return this.#decode(answer);
  }
}
