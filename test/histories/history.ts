/** Runs one history: each step on the system and on the model; what differs is an error. */
import { isDeepStrictEqual } from "node:util";
import { Model } from "./model.ts";
import type { Act, Answer, Seen } from "./acts.ts";
import { BROWSERS, NODES, PEOPLE } from "./steps.ts";
import type { Asking, Step } from "./steps.ts";
import { System } from "./system.ts";
import type { Fault, Ground, Look, Scan } from "./system.ts";

/** What a history runs on. */
export interface HistoryParts {
  readonly ground: Ground;
  /** Of its own, so that histories share a server. */
  readonly namespace: string;
  readonly fault?: Fault;
  /** The system is looked at after each so many steps. */
  readonly lookEvery: number;
  /** Whether a look is to read the whole store as well; on a cluster that takes a while. */
  readonly isScanDue: () => boolean;
  /** Told of each step that was done. */
  readonly onStep: () => void;
}

interface Bound {
  readonly act: Act;
  readonly where: { readonly node: number; readonly browser: number };
}

/** See the top of the file. */
export class History {
  readonly #parts: HistoryParts;
  readonly #system: System;
  #model: Model;
  #made = 0;
  #steps = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.#system = new System(parts.ground, parts.namespace, parts.fault ?? ((store) => store));
    this.#model = Model.at(parts.ground.clock.now());
  }

  /** @throws AssertionError at the first difference, naming the step */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      try {
        this.#wait(1);
        await this.#step(step);
        if (this.#steps % this.#parts.lookEvery === 0) await this.#look();
      } catch (error) {
        throw new Error(`at step ${this.#steps}, ${JSON.stringify(step)}`, { cause: error });
      }
    }
    await this.#lookAt(this.#model.handles(), this.#model.cookies());
  }

  /** The nodes take turns. */
  get #node(): number {
    return this.#steps % NODES;
  }

  async #step(step: Step): Promise<void> {
    switch (step.on) {
      case "wait":
        this.#wait(step.ms);
        return this.#done();
      case "waitFor": {
        const deadlines = this.#model.deadlines();
        const instant = deadlines[step.nth % Math.max(1, deadlines.length)];
        const ms = (instant ?? 0) - step.before - this.#model.now;
        if (ms > 0) this.#wait(ms);
        return this.#done();
      }
      case "steal": {
        const cookie = at(this.#model.cookies(), step.nth);
        this.#system.fill(step.browser, cookie ?? null);
        return this.#done();
      }
      case "crash":
        this.#forget(this.#system.crash(step.node));
        return this.#done();
      case "restart":
        this.#forget(await this.#system.restart());
        return this.#done();
      case "race":
        return this.#race(step.steps);
      case "request":
      case "begin":
      case "create":
      case "revoke":
      case "revokeAll":
      case "revokeAllBut":
      case "revokeEveryone":
        return this.#one(step);
    }
  }

  async #one(step: Asking): Promise<void> {
    const bound = this.#bind(step, null);
    if (bound === null) return;
    const { act } = bound;
    judge(this.#model, { act, seen: await this.#system.run(act, bound.where) }, false);
    this.#done();
    if ("request" in act && this.#model.isVague(act.request)) this.#abandon(act.request);
  }

  /**
   * Steps at the same time must answer, and leave behind, what they would in some order. Their requests are
   * committed at once: what they know, which depends on the order, is then behind us.
   */
  async #race(steps: readonly Asking[]): Promise<void> {
    const bound: Bound[] = [];
    for (const step of steps) {
      const busy = bound.flatMap(({ act }) => ("request" in act ? [act.request] : []));
      const one = this.#bind(step, busy);
      if (one) bound.push(one);
    }
    const answers = await Promise.all(bound.map(({ act, where }) => this.#system.run(act, where)));
    const pairs = bound.map(({ act }, index): Pair => ({ act, seen: answers[index] ?? {} }));
    const commits = await this.#commitAll(pairs);
    this.#model = await this.#someOrder(pairs, commits);
    for (const { act, seen } of pairs)
      if ("request" in act && seen.error !== undefined) this.#model.forget(act.request);
    for (const _ of [...pairs, ...commits]) this.#done();
  }

  /** Commits the requests of a race; those that failed are given up. */
  async #commitAll(pairs: readonly Pair[]): Promise<Pair[]> {
    const commits: Pair[] = [];
    for (const { act, seen } of pairs) {
      if (!("request" in act) || !this.#system.open.includes(act.request)) continue;
      const commit: Act = { act: "deed", request: act.request, deed: { do: "commit" }, value: 0 };
      if (seen.error !== undefined) this.#system.abandon(act.request);
      else
        commits.push({
          act: commit,
          seen: await this.#system.run(commit, { node: 0, browser: 0 }),
        });
    }
    return commits;
  }

  async #someOrder(pairs: readonly Pair[], commits: readonly Pair[]): Promise<Model> {
    const made = [...pairs, ...commits].flatMap(({ seen }) => seen.view?.handle ?? []);
    const before = this.#model.stored().map(({ handle }) => handle);
    const look = await this.#system.look(this.#node, [...new Set([...before, ...made])]);
    let first: unknown;
    for (const order of orders(withLeft(pairs, look))) {
      try {
        const model = this.#model.clone();
        for (const pair of order) judge(model, pair, true);
        for (const pair of commits) judge(model, pair, true);
        compareLook(look, model);
        return model;
      } catch (error) {
        first ??= error;
      }
    }
    throw new Error("no order of these steps explains what was seen", { cause: first });
  }

  /** Chooses the subjects of a step; null where there are none. `busy`: of the same race; null: no race. */
  #bind(step: Asking, busy: readonly number[] | null): Bound | null {
    const where = { node: this.#node, browser: 0 };
    switch (step.on) {
      case "request": {
        const request = at(this.#free(busy), step.nth);
        if (request === undefined) return this.#begin(step.nth % BROWSERS, step.nth % NODES);
        return { act: { act: "deed", request, deed: step.deed, value: this.#number() }, where };
      }
      case "begin":
        return this.#begin(step.browser, step.node);
      case "create": {
        const { who, limit, browser } = step;
        return { act: { act: "create", who, limit }, where: { ...where, browser } };
      }
      case "revoke":
      case "revokeAllBut": {
        const handle = at(this.#model.handles(), step.nth);
        if (handle === undefined) return null;
        const who = this.#model.principalOf(handle);
        if (step.on === "revoke" || who === null) return { act: { act: "revoke", handle }, where };
        return { act: { act: "revokeAll", who, except: handle }, where };
      }
      case "revokeAll":
        return { act: { act: "revokeAll", who: step.who, except: null }, where };
      case "revokeEveryone":
        return { act: { act: "revokeEveryone" }, where };
    }
  }

  /** Open requests to choose from; in a race those of one session, if there are any. */
  #free(busy: readonly number[] | null): number[] {
    const { open } = this.#system;
    if (busy === null) return open;
    const free = open.filter((request) => !busy.includes(request));
    const [first] = busy;
    const alike = free.filter((request) =>
      this.#isAlike(request, first === undefined ? open : [first]),
    );
    return alike.length > 0 ? alike : free;
  }

  #isAlike(request: number, others: readonly number[]): boolean {
    const handle = this.#model.handleIn(request);
    if (handle === null) return false;
    return others.some((other) => other !== request && this.#model.handleIn(other) === handle);
  }

  #begin(browser: number, node: number): Bound {
    const act = {
      act: "begin",
      request: this.#number(),
      cookie: this.#system.jar(browser),
    } as const;
    return { act, where: { node, browser } };
  }

  /** Everyone's lists, all sessions that should live, and in turn those that should not, and old cookies. */
  async #look(): Promise<void> {
    const turn = Math.floor(this.#steps / this.#parts.lookEvery);
    const alive = this.#model.stored().map(({ handle }) => handle);
    await this.#lookAt(
      [...new Set([...alive, ...some(this.#model.handles(), turn)])],
      some(this.#model.cookies(), turn),
    );
  }

  async #lookAt(handles: readonly string[], cookies: readonly string[]): Promise<void> {
    compareLook(await this.#system.look(this.#node, handles), this.#model);
    for (const cookie of cookies) {
      const opened = await this.#system.probe(this.#node, cookie);
      same(opened, this.#model.openedBy(cookie), "the session that a cookie of earlier opens");
    }
    if (this.#parts.isScanDue()) compareScan(await this.#system.scan(this.#node), this.#model);
  }

  #wait(ms: number): void {
    this.#parts.ground.clock.advance(ms);
    this.#model.wait(ms);
  }

  #abandon(request: number): void {
    this.#system.abandon(request);
    this.#model.forget(request);
  }

  #forget(requests: readonly number[]): void {
    for (const request of requests) this.#model.forget(request);
  }

  #done(): void {
    this.#steps += 1;
    this.#parts.onStep();
  }

  #number(): number {
    this.#made += 1;
    return this.#made;
  }
}

interface Pair {
  readonly act: Act;
  readonly seen: Seen;
}

/** Of sessions used last at the same instant a limit may end any: which, another step of the race may have hidden. */
function withLeft(pairs: readonly Pair[], { known }: Look): Pair[] {
  const left = known.flatMap(([handle, found]) => (found === "evicted" ? [] : handle));
  return pairs.map(({ act, seen }) => ({ act, seen: seen.left ? { ...seen, left } : seen }));
}

/** The model does what the act does, and must answer what was seen. */
function judge(model: Model, { act, seen }: Pair, isRace: boolean): void {
  const { left: _left, ...answer } = seen;
  const expected: Answer = model.apply(act, seen);
  const isFailure = seen.error !== undefined && seen.error === expected.error;
  const isVague = "request" in act && model.isVague(act.request);
  // Who fails in a race, or is refused with an old session, may or may not have read the newest before.
  if ((isRace || isVague) && isFailure) return;
  same(answer, expected, `the answer of ${JSON.stringify(act)}`);
}

function compareLook({ lists, known }: Look, model: Model): void {
  const stored = model.stored();
  const of = PEOPLE.map((who) => stored.filter(({ principal }) => principal === who));
  same(lists, of, `the lists of ${PEOPLE.join(", ")}`);
  for (const [handle, found] of known) {
    const ending = model.endingOf(handle);
    if (found === "unknown" && ending?.sure === false) continue;
    const expected = ending?.why ?? stored.find((each) => each.handle === handle);
    same(found, expected, `the session ${handle}`);
  }
}

function compareScan({ all, counts }: Scan, model: Model): void {
  const stored = model.stored();
  same(all, stored, "what is stored");
  const owners = PEOPLE.flatMap((principal) => {
    const active = stored.filter((each) => each.principal === principal).length;
    return active === 0 ? [] : [{ principal, active }];
  });
  same(counts, { active: stored.length, principals: owners.length, owners }, "the counts");
}

/** The newest two, and one more, which is another one each time. */
function some<Value>(all: readonly Value[], turn: number): Value[] {
  return [...all.slice(0, 2), ...all.slice(turn % Math.max(1, all.length)).slice(0, 1)];
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what} is ${JSON.stringify(actual)} and should be ${JSON.stringify(expected)}`);
}

function at<Value>(all: readonly Value[], nth: number): Value | undefined {
  return all[nth % Math.max(1, all.length)];
}

function* orders<Value>(all: readonly Value[]): Iterable<Value[]> {
  if (all.length <= 1) return void (yield [...all]);
  for (const first of all)
    for (const rest of orders(all.filter((each) => each !== first))) yield [first, ...rest];
}
