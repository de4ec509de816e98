/** Visitors who log in and count, on connections that they keep, and notice whatever is lost. */
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** What the application answers. */
interface Answer {
  readonly user: string | null;
  readonly count?: number;
}

/** What came back; `status` 0: nothing. */
interface Reply {
  readonly status: number;
  readonly answer: Answer;
}

const NOTHING: Reply = { status: 0, answer: { user: null } };

/** One browser with its cookie and its connection. */
export class Visitor {
  readonly user: string;
  /** The last count that was acknowledged. */
  acknowledged = 0;
  /** Since then, counts whose answer did not come: done or not. */
  #unknown = 0;
  #cookie = "";
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number, user: string) {
    this.#port = port;
    this.user = user;
  }

  async login(): Promise<void> {
    const { status } = await this.send("POST", "/login", JSON.stringify({ user: this.user }));
    if (status !== 200) throw new Error(`the login of ${this.user} was answered ${status}`);
  }

  /** Counts. Null: as it should be; else what is wrong. */
  async count(): Promise<Problem | null> {
    const { status, answer } = await this.send("POST", "/count");
    if (status === 401) return "lost session";
    if (status !== 200) {
      this.#unknown += 1;
      return status === 0 ? "no answer" : `answer ${status}`;
    }
    return this.#judge(answer, 1);
  }

  /** Looks without counting. */
  async look(): Promise<Problem | null> {
    const { status, answer } = await this.send("GET", "/me");
    if (status !== 200) return status === 0 ? "no answer" : `answer ${status}`;
    return this.#judge(answer, 0);
  }

  /** Sends a request with the cookie; never rejects. */
  async send(method: "GET" | "POST", path: string, body?: string): Promise<Reply> {
    const headers = {
      ...(this.#cookie && { cookie: this.#cookie }),
      ...(body && { "content-type": "application/json" }),
    };
    const where = { host: "127.0.0.1", port: this.#port, method, path, headers };
    const asked = request({ ...where, agent: this.#agent });
    asked.end(body);
    try {
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const [set] = response.headers["set-cookie"] ?? [];
      if (set) this.#cookie = set.slice(0, set.indexOf(";"));
      const text = Buffer.concat(chunks).toString();
      const { statusCode: status = 0 } = response;
      return { status, answer: status === 200 ? (JSON.parse(text) as Answer) : NOTHING.answer };
    } catch {
      return NOTHING;
    }
  }

  leave(): void {
    this.#agent.destroy();
  }

  #judge({ user, count = 0 }: Answer, added: 0 | 1): Problem | null {
    if (user !== this.user) return "lost session";
    const least = this.acknowledged + added;
    if (count < least || count > least + this.#unknown) return "lost count";
    this.acknowledged = count;
    this.#unknown = 0;
    return null;
  }
}
/** What a visitor can be told wrong. */
export type Problem = "lost session" | "lost count" | "no answer" | `answer ${number}`;

/** How a crowd fared. */
export interface Tally {
  requests: number;
  longestMs: number;
  readonly problems: Partial<Record<Problem, number>>;
}

/** Visitors who do not stop. */
export class Crowd {
  readonly tally: Tally = { requests: 0, longestMs: 0, problems: {} };
  readonly #visitors: readonly Visitor[];
  #isOver = false;

  constructor(port: number, size: number) {
    this.#visitors = Array.from({ length: size }, (_, index) => new Visitor(port, `user-${index}`));
  }

  /** All log in; then they count, and look every fifth time, until `during` is over and `least` are done. */
  async visit(least: number, during: () => Promise<void>): Promise<void> {
    await Promise.all(this.#visitors.map((visitor) => visitor.login()));
    const visits = Promise.all(this.#visitors.map((visitor) => this.#stay(visitor)));
    try {
      await during();
      while (this.tally.requests < least) await pause(20);
    } finally {
      this.#isOver = true;
      await visits;
    }
    for (const visitor of this.#visitors) await this.#ask(() => visitor.look());
    for (const visitor of this.#visitors) visitor.leave();
  }

  /** Acknowledged counts of all. */
  get counted(): number {
    return this.#visitors.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  async #stay(visitor: Visitor): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      await this.#ask(() => (turn % 5 === 4 ? visitor.look() : visitor.count()));
    }
  }

  async #ask(work: () => Promise<Problem | null>): Promise<void> {
    const beganAt = performance.now();
    const problem = await work();
    this.tally.requests += 1;
    this.tally.longestMs = Math.max(this.tally.longestMs, Math.round(performance.now() - beganAt));
    if (problem) this.tally.problems[problem] = (this.tally.problems[problem] ?? 0) + 1;
  }
}
