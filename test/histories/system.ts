/** The real thing: two managers over one store, browsers with cookie jars, open requests. */
import { createSessionManager, isSojournError } from "@sojourn/core";
import type {
  Pipeline,
  RequestContext,
  Session,
  SessionInfo,
  Sessions,
  Store,
} from "@sojourn/core";
import type { Place } from "../scenarios/stores.ts";
import type { Act, Answer, Seen, Stored, View } from "./acts.ts";
import { SHORT, TIMES } from "./acts.ts";
import { BROWSERS, NODES, PEOPLE } from "./steps.ts";
import type { Deed, Limit } from "./steps.ts";

const SECRET = "the histories have a secret of their own";

/** A place with a clock, shared by several histories. */
export interface Ground {
  readonly place: Place;
  /** Whether what is stored outlives the process. */
  readonly survives: boolean;
  readonly clock: { now(): number; advance(ms: number): void };
  /** The store as it is opened now. */
  store: Store;
}

/** Stands between the managers and the store: a fault, or nothing. */
export type Fault = (store: Store) => Store;

/** What a look shows. */
export interface Look {
  /** The sessions of each person. */
  readonly lists: readonly Stored[][];
  /** By handle: the session, why it is no more, or `unknown`. */
  readonly known: readonly (readonly [handle: string, found: Stored | string])[];
}

/** What the whole store shows. */
export interface Scan {
  readonly all: readonly Stored[];
  readonly counts: unknown;
}

interface Node {
  readonly sessions: Sessions;
  readonly pipeline: Pipeline;
}

interface Open {
  readonly node: number;
  readonly browser: number;
  readonly context: RequestContext;
}

/** See the top of the file. */
export class System {
  readonly #ground: Ground;
  readonly #namespace: string;
  readonly #fault: Fault;
  #nodes: Node[] = [];
  readonly #jars: (string | null)[] = Array<null>(BROWSERS).fill(null);
  readonly #requests = new Map<number, Open>();

  constructor(ground: Ground, namespace: string, fault: Fault) {
    this.#ground = ground;
    this.#namespace = namespace;
    this.#fault = fault;
    this.#startNodes();
  }

  /** Numbers of the open requests, the newest first. */
  get open(): number[] {
    return [...this.#requests.keys()].toReversed();
  }

  jar(browser: number): string | null {
    return this.#jars[browser] ?? null;
  }

  fill(browser: number, cookie: string | null): void {
    this.#jars[browser] = cookie;
  }

  /** The request vanishes. */
  abandon(request: number): void {
    this.#requests.delete(request);
  }

  /** The node vanishes with its requests; another one takes its place. Returns the requests. */
  crash(node: number): number[] {
    this.#nodes[node] = this.#startNode(this.#fault(this.#ground.store));
    const lost = this.open.filter((request) => this.#requests.get(request)?.node === node);
    for (const request of lost) this.abandon(request);
    return lost;
  }

  /** All processes end; others begin with what the store has kept. Returns the requests that were lost. */
  async restart(): Promise<number[]> {
    if (this.#ground.survives) {
      await this.#ground.store.close();
      this.#ground.store = await this.#ground.place.open();
    }
    this.#startNodes();
    const lost = this.open;
    this.#requests.clear();
    return lost;
  }

  /** Does it; what it answers is compared with the model. */
  async run(act: Act, where: { node: number; browser: number }): Promise<Seen> {
    try {
      return await this.#run(act, where);
    } catch (error) {
      if (!isSojournError(error)) throw error;
      const request = "request" in act ? this.#requests.get(act.request) : undefined;
      return { error: error.code, ...(request ? { view: viewOf(request.context.session) } : {}) };
    }
  }

  /** Everyone's list, and what is known of some handles. */
  async look(node: number, handles: readonly string[]): Promise<Look> {
    const { sessions } = this.#at(node);
    const lists = await Promise.all(PEOPLE.map((who) => this.#list(node, who)));
    const known = handles.map(async (handle): Promise<Look["known"][number]> => {
      const found = await sessions.explain(handle);
      if (found.status === "active") return [handle, storedOf(found.session)];
      return [handle, found.status === "ended" ? found.ending.why : "unknown"];
    });
    return { lists, known: await Promise.all(known) };
  }

  /** All that is stored. */
  async scan(node: number): Promise<Scan> {
    const { sessions } = this.#at(node);
    const all: SessionInfo[] = [];
    for await (const info of sessions.find({})) all.push(info);
    const { active, principals } = await sessions.count();
    const { items } = await sessions.principals();
    const owners = items.toSorted((a, b) => (a.principal < b.principal ? -1 : 1));
    return { all: byHandle(all), counts: { active, principals, owners } };
  }

  /** The handle of the session that a cookie opens; changes nothing. */
  async probe(node: number, cookie: string): Promise<string | null> {
    const { session } = await this.#begin(node, cookie);
    return session.isNew ? null : session.handle;
  }

  async #run(act: Act, { node, browser }: { node: number; browser: number }): Promise<Seen> {
    const { sessions } = this.#at(node);
    switch (act.act) {
      case "begin": {
        const context = await this.#begin(node, act.cookie);
        this.#requests.set(act.request, { node, browser, context });
        const { session } = context;
        return { ending: session.ending?.why ?? null, view: viewOf(session) };
      }
      case "deed": {
        const open = this.#requests.get(act.request);
        if (open === undefined) throw new Error("no such request");
        if (act.deed.do === "commit") return this.#commit(act.request, open);
        const value = await perform(open.context.session, act.deed, act.value);
        const left = act.deed.do === "login" ? await this.#left(node, act.deed.who) : {};
        return { value: value ?? null, view: viewOf(open.context.session), ...left };
      }
      case "create": {
        const options = { principal: act.who, secureRequest: true, ...limited(act.limit) };
        const { session, setCookie } = await sessions.create(options);
        const cookie = setCookie.slice(0, setCookie.indexOf(";"));
        this.fill(browser, cookie);
        const { handle, principal, level, data } = session;
        const left = await this.#left(node, act.who);
        return { cookie, view: { handle, principal, level, data: { ...data } }, ...left };
      }
      case "revoke":
        return { value: await sessions.revoke(act.handle) };
      case "revokeAll":
        if (act.except === null) return { value: await sessions.revokeAll(act.who) };
        return { value: await sessions.revokeOthers(act.who, act.except) };
      case "revokeEveryone":
        await sessions.revokeEveryone();
        return { value: null };
    }
  }

  async #commit(request: number, { node, browser, context }: Open): Promise<Seen> {
    const { cookie } = await this.#at(node).pipeline.commit(context);
    this.abandon(request);
    const view = viewOf(context.session);
    if (cookie === null) return { cookie: null, view };
    const isCleared = cookie.attributes.maxAge === 0;
    const value = `${cookie.name}=${cookie.value}`;
    this.fill(browser, isCleared ? null : value);
    return { cookie: isCleared ? "clear" : value, view };
  }

  async #begin(node: number, cookie: string | null): Promise<RequestContext> {
    return this.#at(node).pipeline.begin({
      cookieHeader: cookie ?? undefined,
      secure: true,
      client: () => ({}),
    });
  }

  async #left(node: number, who: string): Promise<{ left: string[] }> {
    return { left: (await this.#list(node, who)).map(({ handle }) => handle) };
  }

  async #list(node: number, who: string): Promise<Stored[]> {
    return byHandle((await this.#at(node).sessions.list(who)).items);
  }

  #startNodes(): void {
    const store = this.#fault(this.#ground.store);
    this.#nodes = Array.from({ length: NODES }, () => this.#startNode(store));
  }

  #startNode(store: Store): Node {
    return createSessionManager({
      secret: SECRET,
      logger: false,
      store,
      namespace: this.#namespace,
      idle: TIMES.idle,
      absolute: TIMES.absolute,
      grace: TIMES.grace,
      storeDeadline: "60s",
    });
  }

  #at(node: number): Node {
    const found = this.#nodes[node];
    if (found === undefined) throw new Error(`no node ${node}`);
    return found;
  }
}

async function perform(
  session: Session,
  deed: Deed,
  value: number,
): Promise<Answer["value"] | void> {
  switch (deed.do) {
    case "set":
      session.set(deed.key, value);
      return null;
    case "delete":
      return session.delete(deed.key);
    case "touch":
      return session.touch();
    case "update":
      return session.update((data: Record<string, unknown>) => {
        data["n"] = Number(data["n"] ?? 0) + 1;
      });
    case "login":
      return session.login(deed.who, { ...limited(deed.limit), ...(deed.short ? SHORT : {}) });
    case "logout":
      return session[deed.how]();
    case "approve":
      return session.approve(deed.action);
    case "useApproval":
      return session.useApproval(deed.action);
    case "save":
    case "reload":
    case "rotate":
    case "elevate":
    case "reauthenticate":
    case "revokeOthers":
      return session[deed.do]();
    case "commit":
      throw new Error("a commit is no verb");
  }
}

function limited(limit: Limit | null): Partial<Limit> {
  return limit === null ? {} : { max: limit.max, onLimit: limit.onLimit };
}

function viewOf(session: Session): View {
  const { handle, principal, level } = session;
  return { handle, principal, level, data: { ...session.toJSON() } };
}

function storedOf({ client: _client, readable: _readable, data, ...stored }: SessionInfo): Stored {
  return { ...stored, data: { ...data } };
}

function byHandle(infos: readonly SessionInfo[]): Stored[] {
  return infos.map(storedOf).toSorted((a, b) => (a.handle < b.handle ? -1 : 1));
}
