/** Sends requests to the processes and counts what came of them. */
import { send } from "./http.ts";
import type { Question, Reply } from "./http.ts";

const STORE_ERROR = /^SOJOURN_STORE_/;

/** The requests of one run. */
export class Tally {
  answered = 0;
  unanswered = 0;
  longestMs = 0;
  /** When the last error of the store was answered; 0: never. */
  lastErrorAt = 0;
  /** By status and code, for answers that are no success. */
  readonly errors: Record<string, number> = {};
  /** Errors of the store by process. */
  readonly storeErrors: number[];
  /** When each process that had made errors first made none; 0: not yet. */
  readonly #recoveredAt: (number | null)[];
  readonly #ports: readonly number[];

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.storeErrors = ports.map(() => 0);
    this.#recoveredAt = ports.map(() => null);
  }

  /** When the last of the processes was well again; null: none was not. */
  get recoveredAt(): number | null {
    const all = this.#recoveredAt.filter((at) => at !== null);
    return all.length === 0 ? null : Math.max(...all);
  }

  /** Sends to one of the processes, whichever. */
  async ask(question: Question): Promise<Reply> {
    const index = Math.floor(Math.random() * this.#ports.length);
    const reply = await send(this.#ports[index] ?? 0, question);
    this.#count(index, reply);
    return reply;
  }

  #count(index: number, { status, code, startedAt, endedAt }: Reply): void {
    this.longestMs = Math.max(this.longestMs, endedAt - startedAt);
    if (status === 0) this.unanswered += 1;
    else this.answered += 1;
    if (status === 200) {
      if (this.#recoveredAt[index] === 0) this.#recoveredAt[index] = endedAt;
      return;
    }
    const name = status === 0 ? "no answer" : `${status} ${code ?? "without a code"}`;
    this.errors[name] = (this.errors[name] ?? 0) + 1;
    if (status !== 0 && !STORE_ERROR.test(code ?? "")) return;
    this.lastErrorAt = endedAt;
    this.#recoveredAt[index] = 0;
    this.storeErrors[index] = (this.storeErrors[index] ?? 0) + 1;
  }
}
