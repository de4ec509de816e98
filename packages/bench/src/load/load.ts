/** The load: autocannon, whose connections ask one contender for one route, again and again. */
import autocannon from "autocannon";
import type { Options, Result } from "autocannon";
import { browsersOf } from "./browser.ts";
import type { Browser, Browsing } from "./browser.ts";

/** What is asked, by whom, and of whom. */
export interface LoadSettings extends Browsing {
  /** Of this machine. */
  readonly port: number;
}

/** How often autocannon looks whether it is over, in ms. */
const LOOKS_EVERY = 10;
/** How long an answer may take, in s: under valgrind the first ones take long. */
const ANSWER_WITHIN = 60;

/** How many connections ask, and until when. */
type Extent = { readonly connections: number } & (
  | { readonly amount: number }
  | { readonly duration: number }
);

/** Requests of one contender and route; one run at a time, whose connections are closed at its end. */
export class Load {
  readonly #settings: LoadSettings;
  /** Of each connection. */
  readonly #browsers: readonly Browser[];
  #answered = 0;
  #fail: (reason: string) => void = () => {};

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#browsers = browsersOf(settings);
  }

  /** Requests answered so far. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * Asks until the time is over, and leaves what is under way then. Resolves to the ms from the first request to the
   * last answer. @throws Error as {@link run}
   */
  async runFor(ms: number): Promise<number> {
    return this.#run({ connections: this.#settings.connections, duration: ms / 1_000 });
  }

  /** Asks so many times. @throws Error for any answer but 200, and for none */
  async run(requests: number): Promise<void> {
    const connections = Math.min(requests, this.#settings.connections);
    await this.#run({ connections, amount: requests });
  }

  /** Ends the run that is under way: it rejects. */
  stop(): void {
    this.#fail("it was stopped");
  }

  #run(extent: Extent): Promise<number> {
    return new Promise((resolve, reject) => {
      const before = this.#answered;
      let problem: string | null = null;
      const running = autocannon(this.#options(extent), (error: Error | null, result) => {
        this.#fail = () => {};
        problem ??= error ? error.message : lossOf(result, this.#answered - before, extent);
        if (problem === null) resolve(last - from);
        else reject(new Error(`/${this.#settings.route}: ${problem}`));
      });
      const from = performance.now();
      let last = from;
      this.#fail = (reason) => {
        problem ??= reason;
        running.stop();
      };
      running.on("response", (_client, status) => {
        last = performance.now();
        this.#answered += 1;
        if (status !== 200) this.#fail(`the server answers ${status}`);
      });
      running.on("reqError", (error: Error) => this.#fail(error.message));
    });
  }

  #options(extent: Extent): Options {
    const browsers = this.#browsers.values();
    return {
      url: `http://127.0.0.1:${this.#settings.port}`,
      setupClient: (client) => browsers.next().value?.(client),
      sampleInt: LOOKS_EVERY,
      timeout: ANSWER_WITHIN,
      ...extent,
    };
  }
}

/** A server that hangs up is asked again by autocannon, which counts no error; so what was sent is counted. */
function lossOf({ requests: { sent } }: Result, answered: number, extent: Extent): string | null {
  const underWay = "amount" in extent ? 0 : extent.connections;
  const lost = sent - answered - underWay;
  return lost === 0 ? null : `the server hung up on ${lost} requests`;
}
