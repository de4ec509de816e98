/** Runs one scenario on every framework and every store, each test in a world of its own. */
import type { AnySessionEvent, SessionOptions, Sessions, Store } from "@sojourn/core";
import { describe, onTestFinished } from "vitest";
import { Client } from "./client.ts";
import type { Reach } from "./client.ts";
import { frameworks } from "./frameworks.ts";
import type { App, Framework, NamedOptions, Route } from "./frameworks.ts";
import { Probe } from "./probe.ts";
import { shop } from "./shop.ts";
import { stores } from "./stores.ts";
import type { Place, StoreKind } from "./stores.ts";

export const SECRET = "a secret of the scenarios that is long enough";
export const SECOND = 1_000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** The deadline of a store's answer where a scenario does not set one: a busy machine fails none. */
const PATIENCE = "20s";

/** What a scenario asks for. */
export interface Wanted {
  readonly options?: SessionOptions;
  /** Beside those of the shop. */
  readonly routes?: readonly Route[];
  /** Further sessions by property. */
  readonly more?: (store: Store) => NamedOptions;
}

/** A clock that moves when it is told to. */
export class TestClock {
  #now = Date.UTC(2030, 0, 1);
  now = (): number => this.#now;
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** A running application with its store, its clock and its browsers. */
export class World {
  readonly clock: TestClock;
  readonly probe: Probe;
  /** Every event of every node, in order. */
  readonly events: AnySessionEvent[] = [];
  readonly #framework: Framework;
  readonly #wanted: Wanted;
  readonly #place: Place;
  readonly #apps: App[] = [];

  private constructor(
    framework: Framework,
    place: Place,
    clock: TestClock,
    inner: Store,
    wanted: Wanted,
  ) {
    this.#framework = framework;
    this.#place = place;
    this.clock = clock;
    this.probe = new Probe(inner);
    this.#wanted = wanted;
  }

  static async open(framework: Framework, kind: StoreKind, wanted: Wanted): Promise<World> {
    const clock = new TestClock();
    const place = await kind.place(clock);
    const world = new World(framework, place, clock, await place.open(), wanted);
    onTestFinished(() => world.#close());
    await world.node();
    return world;
  }

  /** The first node. */
  get app(): App {
    const [first] = this.#apps;
    if (!first) throw new Error("no node is running");
    return first;
  }

  get sessions(): Sessions {
    return this.app.sessions;
  }

  /** Starts one more node on the same store. */
  async node(): Promise<App> {
    const { options = {}, routes = [], more } = this.#wanted;
    const { store } = this.probe;
    const app = await this.#framework.start(
      { secret: SECRET, logger: false, storeDeadline: PATIENCE, ...options, store },
      [...shop, ...routes],
      more?.(store),
    );
    app.sessions.on("*", (event) => this.events.push(event));
    this.#apps.push(app);
    return app;
  }

  /** Stops every node and the store, then starts one node on what was left. */
  async restart(): Promise<App> {
    await this.#stop();
    this.probe.inner = await this.#place.open();
    return this.node();
  }

  /** A new browser. */
  client(reach: Reach = {}, app: App = this.app): Client {
    return new Client(app.url, reach);
  }

  /** A new browser in which a user has logged in; `more` is added to the query. */
  async loggedIn(user: string, more = "", app: App = this.app): Promise<Client> {
    const client = this.client({}, app);
    const { status, text } = await client.post(`/login?user=${user}&${more}`);
    if (status !== 200) throw new Error(`login answered ${status}: ${text}`);
    return client;
  }

  /** All that the store keeps outside the process. */
  bytes(): Promise<string> {
    return this.#place.bytes();
  }

  eventsOf<Type extends AnySessionEvent["type"]>(
    type: Type,
  ): Extract<AnySessionEvent, { type: Type }>[] {
    return this.events.filter((event) => event.type === type) as Extract<
      AnySessionEvent,
      { type: Type }
    >[];
  }

  async #stop(): Promise<void> {
    for (const app of this.#apps.splice(0)) await app.close();
    await this.probe.inner.close();
  }

  async #close(): Promise<void> {
    await this.#stop();
    await this.#place.remove();
  }
}

/** One cell of the matrix. */
export interface Setting {
  readonly framework: Framework;
  readonly kind: StoreKind;
  readonly open: (wanted?: Wanted) => Promise<World>;
}

/** Runs `scenario` in every cell. */
export function everywhere(scenario: (setting: Setting) => void): void {
  for (const framework of frameworks) {
    for (const kind of stores) {
      describe(`${framework.name} on the ${kind.name} store`, () => {
        scenario({ framework, kind, open: (wanted = {}) => World.open(framework, kind, wanted) });
      });
    }
  }
}
