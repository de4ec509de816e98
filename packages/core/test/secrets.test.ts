/** G6: no token, cookie value or key leaves through a log, an event, an error, inspect or the store. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createSessionManager } from "../src/create.ts";
import type { Logger } from "../src/events.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { KeyRing } from "../src/keys/key-ring.ts";
import type { Browser } from "./support/browser.ts";
import { fakeClock, MINUTE, SECOND } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { collect, world } from "./support/world.ts";

const RING = [
  "newest-secret-of-the-ring-0123456789",
  "oldest-secret-of-the-ring-0123456789",
] as const;

/** Writes down whatever it is shown, as deep as it goes. */
class Notebook {
  readonly #pages: string[] = [];
  note(...things: unknown[]): void {
    for (const thing of things) {
      const hidden = {
        depth: Infinity,
        showHidden: true,
        maxStringLength: null,
        maxArrayLength: null,
      };
      this.#pages.push(
        inspect(thing, hidden),
        inspect(thing, { ...hidden, showProxy: true, customInspect: false }),
      );
      if (thing instanceof Error) this.#pages.push(String(thing), String(thing.stack));
      try {
        this.#pages.push(JSON.stringify(thing) ?? "");
      } catch {
        // Not for JSON.
      }
    }
  }
  get text(): string {
    return this.#pages.join("\n");
  }
}

/** Every secret that a cookie value holds: token, its random part, its MAC. */
function secretsIn(value: string): string[] {
  return [value, value.slice(0, 47), value.slice(4, 47), value.slice(52)];
}

/** A user's whole life, everything that can be seen of it noted down. */
async function story(book: Notebook): Promise<string[]> {
  const secrets: string[] = [...RING];
  const clock = fakeClock();
  let isDown = false;
  const inner = memoryStore({ clock });
  const store = interceptStore(inner, (_, run) =>
    isDown ? Promise.reject(new Error("connection lost")) : run(),
  );
  const note = (...given: unknown[]): void => book.note(...given);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const made = world({ clock, store, secret: RING, logger, cookie: { persistent: true } });
  made.sessions.on("*", note);
  const remember = (visitor: Browser): void => void secrets.push(...secretsIn(visitor.value));
  const failing = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      note(error);
    }
  };
  const visitor = made.browser();
  const steps: ((visit: Awaited<ReturnType<Browser["open"]>>) => unknown)[] = [
    ({ session }) => void (session.cart = ["book"]),
    ({ session }) => session.login("ada"),
    ({ session }) => session.rotate(),
    ({ session }) => session.elevate(),
    ({ session }) => session.reauthenticate(),
    ({ session }) => session.update((data) => void (data["a"] = 1)),
    ({ session }) => failing(() => session.elevate({ level: 0 })),
    ({ session }) => failing(() => session.login("")),
    ({ session }) => failing(() => session.set("x", 1n)),
    ({ session }) => failing(() => session.login("ada", { max: -1 })),
    ({ session }) => session.revokeOthers("reason"),
    ({ session }) => note(session.checkClient(), session.toJSON(), { ...session }),
  ];
  for (const step of steps) {
    const visit = await visitor.open();
    await step(visit);
    note(visit.session, visit.context);
    const plan = await visit.close();
    remember(visitor);
    note(visit.session, visit.context, plan.privacy, plan.cookie?.attributes);
    clock.advance(2 * SECOND);
    note(made.sessions, made.pipeline);
  }
  const thief = visitor.clone();
  await visitor.visit((session) => session.login("ada"));
  remember(visitor);
  clock.advance(MINUTE);
  await thief.visit(() => {});
  for (const header of [
    `__Host-sid=${visitor.value}x`,
    `__Host-sid=${visitor.value.slice(0, -4)}AAAA`,
  ]) {
    note((await visitor.open(header)).context);
  }
  const handle = await visitor.visit((session) => session.handle);
  const { sessions } = made;
  note(
    await sessions.get(String(handle)),
    await sessions.list("ada"),
    await sessions.explain(String(handle)),
  );
  note(
    await sessions.stats(),
    await sessions.count(),
    await sessions.principals(),
    await sessions.health(),
  );
  const created = await sessions.create({ principal: "bob" });
  secrets.push(...secretsIn(created.setCookie.split(";")[0]?.split("=")[1] ?? ""));
  note(created.session);
  note(await collect(inner.scan("session")), inner);
  const slow = await visitor.open();
  await sessions.revokeAll("ada", "stolen");
  await failing(() => slow.session.set("b", 1).save());
  note(slow.session, slow.context);
  await visitor.visit((session) => note(session));
  await visitor.visit((session) => session.login("ada"));
  remember(visitor);
  isDown = true;
  await failing(() => visitor.open());
  await failing(() => made.browser().visit((session) => session.login("eve")));
  note(await sessions.health());
  return secrets;
}

describe("G6 ASVS 3.3.4 T-LOG ASVS 16.2.5 what may be seen holds no secret", () => {
  test("no log line, event, error, inspected object or stored record of a whole life holds a secret", async () => {
    const book = new Notebook();
    const secrets = await story(book);
    expect(secrets.length).toBeGreaterThan(50);
    expect(book.text.length).toBeGreaterThan(50_000);
    for (const secret of secrets) expect(book.text).not.toContain(secret);
    // The notebook does see what is public.
    expect(book.text).toContain("ada");
    expect(book.text).toContain("connection lost");
  });

  test("T-TIME a record's key is not enough to get in: presenting it opens nothing", async () => {
    const { browser, store } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    for (const record of await collect(store.scan("session"))) {
      const { session } = await browser().open(
        `__Host-sid=${record.key}${visitor.value.slice(47)}`,
      );
      expect(session.principal).toBeNull();
    }
  });

  test("T-KEY2 a token without its signature opens nothing", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { session } = await browser().open(`__Host-sid=${visitor.value.slice(0, 47)}`);
    expect(session.principal).toBeNull();
  });

  test("T-LOG a context does not hold the request's cookie header", async () => {
    const { browser } = world();
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { context } = await visitor.open();
    const book = new Notebook();
    book.note(context, context.session);
    for (const secret of secretsIn(visitor.value)) expect(book.text).not.toContain(secret);
  });

  test("a key ring shows no key", () => {
    const book = new Notebook();
    book.note(new KeyRing(RING));
    for (const secret of RING) expect(book.text).not.toContain(secret);
  });

  test("bytes as a secret do not show either", () => {
    const secret = new Uint8Array(32).fill(65);
    const book = new Notebook();
    book.note(createSessionManager({ secret, logger: false }));
    expect(book.text).not.toContain("65, 65");
    expect(book.text).not.toContain("AAAAAAAA");
  });
});
