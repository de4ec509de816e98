/** The load: visitors who come, count and go; crowds that log in at once; cookies of ended sessions. */
import { setTimeout as pause } from "node:timers/promises";
import type { Reply } from "./http.ts";
import type { Known, Ledger } from "./ledger.ts";
import type { Tally } from "./tally.ts";
import { LIMIT } from "./words.ts";
import type { Answer, User } from "./words.ts";

const VISITORS = 10;
const CROWDS = 3;
const THIEVES = 4;
/** Logins of one user at once; more than the limit. */
const AT_ONCE = 6;

/** Everybody who logs in. */
export const USERS: readonly User[] = [
  ...named("visitor", VISITORS, null),
  ...named("oldest", CROWDS, "evict-oldest"),
  ...named("reject", CROWDS, "reject"),
];

/** What was looked at beside the ledger. */
export class Load {
  reuses = 0;
  logins = 0;
  refusals = 0;
  lists = 0;
  /** Lists that had more than the limit. */
  tooLong = 0;
  readonly #tally: Tally;
  readonly #ledger: Ledger;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(tally: Tally, ledger: Ledger) {
    this.#tally = tally;
    this.#ledger = ledger;
  }

  start(): void {
    const lives = USERS.map((user) =>
      this.#again(() => (user.onLimit === null ? this.#visit(user) : this.#gather(user))),
    );
    const thefts = Array.from({ length: THIEVES }, () => this.#again(() => this.#reuse()));
    this.#running = Promise.all([...lives, ...thefts]);
  }

  /** Resolves when every request is answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** What an own cookie leads to now; null: it was not answered. */
  async look(known: Known): Promise<Answer | null> {
    const reply = await this.#tally.ask({ method: "GET", path: "/me", cookie: known.cookie });
    return this.#read(known, reply);
  }

  /** The handles that a list has; null: it was not answered. */
  async list({ name }: User): Promise<readonly string[] | null> {
    const reply = await this.#tally.ask({ method: "GET", path: `/admin/list?user=${name}` });
    if (reply.status !== 200) return null;
    const { handles } = reply.body as { handles: string[] };
    this.lists += 1;
    return handles;
  }

  async #again(life: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await life();
      await pause(10 + Math.random() * 30);
    }
  }

  /** Anonymous, logged in, counting in parallel on any process, and ended in one of four ways. */
  async #visit(user: User): Promise<void> {
    const first = await this.#post("/count");
    const visitor = first.status === 200 && this.#ledger.begun(first, answerIn(first), null);
    if (!visitor) return;
    let own = await this.#login(user, visitor);
    for (let round = 0; own && round < 4 && !this.#isOver; round += 1) {
      await Promise.all([
        this.#count(own),
        this.#count(own),
        this.#count(own, 20),
        this.look(own),
        this.#post("/note", own),
      ]);
      await pause(Math.random() * 20);
      if (round === 1 && Math.random() < 0.3) own = await this.#login(user, own);
    }
    if (own) await this.#finish(user, own);
  }

  /** Slow requests are under way while the session ends; what they write must not bring it back. */
  async #finish(user: User, own: Known): Promise<void> {
    const slow = [this.#count(own, 60), this.#post("/note?wait=90", own), this.#count(own, 120)];
    await pause(Math.random() * 60);
    const how = Math.random();
    if (how < 0.4) await this.#logout(own);
    else if (how < 0.7) await this.#revoke(own);
    else await this.#revokeAll(user);
    await Promise.all(slow);
  }

  /** More logins at once than the user may have sessions. */
  async #gather(user: User): Promise<void> {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#login(user, null)));
    const own = this.#ledger.sessions.filter((known) => known.user === user && !known.ended);
    const some = own.slice(-2 * LIMIT);
    const [handles] = await Promise.all([
      this.list(user),
      ...some.map((known) => this.look(known)),
      ...some.slice(-2).map((known) => this.#count(known)),
    ]);
    if (handles && handles.length > LIMIT) this.tooLong += 1;
    if (Math.random() < 0.2) return this.#revokeAll(user);
    await Promise.all(some.slice(0, 2).map((known) => this.#logout(known)));
  }

  /** Cookies of ended sessions, mostly of those that ended last. */
  async #reuse(): Promise<void> {
    const { graveyard } = this.#ledger;
    const depth = Math.random() < 0.7 ? 20 : graveyard.length;
    const known =
      graveyard[
        graveyard.length - 1 - Math.floor(Math.random() * Math.min(depth, graveyard.length))
      ];
    if (!known) return;
    this.reuses += 3;
    await Promise.all([this.look(known), this.#count(known), this.#post("/note", known)]);
  }

  async #login(user: User, old: Known | null): Promise<Known | null> {
    old?.causes.add("rotated");
    const limit = user.onLimit === null ? "max=0" : `max=${LIMIT}&onLimit=${user.onLimit}`;
    const reply = await this.#post(`/login?user=${user.name}&${limit}`, old);
    if (reply.code === "SOJOURN_LIMIT_REACHED") this.refusals += 1;
    if (reply.status !== 200) return null;
    this.logins += 1;
    if (old) this.#ledger.ended(old, reply);
    return this.#ledger.begun(reply, answerIn(reply), user);
  }

  async #logout(own: Known): Promise<void> {
    own.causes.add("logout");
    const reply = await this.#post("/logout", own);
    if (reply.status === 200) this.#ledger.ended(own, reply);
  }

  async #revoke(own: Known): Promise<void> {
    own.causes.add("revoked");
    const reply = await this.#post(`/admin/revoke?handle=${own.handle}`);
    if (reply.status === 200) this.#ledger.ended(own, reply);
  }

  async #revokeAll(user: User): Promise<void> {
    const own = this.#ledger.sessions.filter((known) => known.user === user && !known.ended);
    for (const known of own) known.causes.add("revoked");
    const reply = await this.#post(`/admin/revoke-all?user=${user.name}`);
    if (reply.status !== 200) return;
    for (const known of own) this.#ledger.ended(known, reply);
  }

  async #count(known: Known, wait = 0): Promise<void> {
    const reply = await this.#post(`/count?wait=${wait}`, known);
    const answer = this.#read(known, reply);
    if (answer?.handle === known.handle) this.#ledger.counted(known, answer.n, reply);
  }

  #read(known: Known, reply: Reply): Answer | null {
    if (reply.status !== 200) return null;
    const answer = answerIn(reply);
    this.#ledger.saw(known, answer, reply);
    return answer;
  }

  #post(path: string, known: Known | null = null): Promise<Reply> {
    return this.#tally.ask({ method: "POST", path, cookie: known?.cookie ?? null });
  }
}

function answerIn(reply: Reply): Answer {
  return reply.body as Answer;
}

function named(name: string, many: number, onLimit: User["onLimit"]): User[] {
  return Array.from({ length: many }, (_, index) => ({ name: `${name}-${index}`, onLimit }));
}
