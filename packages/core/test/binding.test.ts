/** E-12, C-25: another client comes with a session: ignored, told of, asked to prove itself, or refused. */
import { describe, expect, test } from "vitest";
import type { ClientFacts } from "../src/request/facts.ts";
import type { SessionOptions } from "../src/options/types.ts";
import type { Browser } from "./support/browser.ts";
import { world, type World } from "./support/world.ts";

const HOME: ClientFacts = { ip: "198.51.100.7", userAgent: "Mozilla/5.0 Firefox/130.0" };
const THIEF: ClientFacts = { ip: "203.0.113.9", userAgent: "curl/8.0" };

async function stolen(
  options: Omit<SessionOptions, "clock">,
  client = THIEF,
): Promise<World & { thief: Browser; owner: Browser }> {
  const made = world(options);
  const owner = made.browser({ client: HOME });
  await owner.visit((session) => session.set("a", 1) && session.login("ada"));
  const thief = owner.clone();
  Object.assign(thief, { parts: { ...owner.parts, client } });
  return { ...made, owner, thief };
}

describe("E-12 NIST 5.3 OWASP-client binding", () => {
  test("'ignore', the default, lets it in and says nothing", async () => {
    const { thief, told } = await stolen({});
    expect(await thief.visit((session) => session.principal)).toBe("ada");
    expect(told("client-changed")).toEqual([]);
  });

  test("'report' lets it in and tells what differs", async () => {
    const { thief, owner, told } = await stolen({ binding: "report" });
    expect(await thief.visit((session) => session.principal)).toBe("ada");
    expect(told("client-changed")).toMatchObject([
      { principal: "ada", action: "report", reasons: ["network-changed", "user-agent-changed"] },
    ]);
    await owner.visit(() => {});
    expect(told("client-changed")).toHaveLength(1);
  });

  test("'step-up' locks it for the other client only, until that one has proved itself", async () => {
    const { thief, owner } = await stolen({ binding: "step-up" });
    expect(await thief.visit((session) => [session.principal, session.locked])).toEqual([
      null,
      { why: "client", principal: "ada" },
    ]);
    expect(await owner.visit((session) => session.principal)).toBe("ada");
    await thief.visit((session) => session.reauthenticate());
    expect(await thief.visit((session) => [session.principal, session.a])).toEqual(["ada", 1]);
    expect((await owner.open()).session.principal).toBeNull();
  });

  test("'revoke' ends it for everybody, with a reason", async () => {
    const { thief, owner, told } = await stolen({ binding: "revoke" });
    expect(await thief.visit((session) => [session.principal, session.a])).toEqual([
      null,
      undefined,
    ]);
    expect(thief.cookie).toBeUndefined();
    expect((await owner.open()).session.ending).toMatchObject({
      why: "revoked",
      reason: "another client",
    });
    expect(told("revoked")).toMatchObject([{ principal: "ada", count: 1 }]);
  });

  test.each<[string, ClientFacts]>([
    ["another address of the same /24", { ...HOME, ip: "198.51.100.200" }],
    ["the same browser after an update", { ...HOME, userAgent: "Mozilla/5.0 Firefox/131.2" }],
    ["no address", { userAgent: HOME.userAgent }],
  ])("C-25 %s is not another client", async (_, client) => {
    const { thief, told } = await stolen({ binding: "revoke" }, client);
    expect(await thief.visit((session) => session.principal)).toBe("ada");
    expect(told("client-changed")).toEqual([]);
  });

  test("a visitor who is not logged in is bound to nothing", async () => {
    const { browser } = world({ binding: "revoke" });
    const visitor = browser({ client: HOME });
    await visitor.visit((session) => void session.set("a", 1));
    Object.assign(visitor, { parts: { ...visitor.parts, client: THIEF } });
    expect(await visitor.visit((session) => session.a)).toBe(1);
  });
});

describe("C-25 OWASP-binding the device cookie", () => {
  /** The cookies that a response sets, by name. */
  async function respond(
    made: World,
    header: string | undefined,
    act: (visit: Awaited<ReturnType<Browser["open"]>>) => unknown,
  ) {
    const visit = await made.browser({ client: HOME }).open(header);
    await act(visit);
    return made.pipeline.commit(visit.context);
  }

  test("comes with the first session, lasts 400 days, and is not sent again", async () => {
    const made = world({ deviceCookie: true });
    const first = await respond(made, undefined, ({ session }) => session.login("ada"));
    expect(first.device).toMatchObject({
      name: "__Host-sid-device",
      attributes: { httpOnly: true, secure: true, sameSite: "lax", maxAge: 400 * 86_400 },
    });
    const header = `${first.cookie?.name}=${first.cookie?.value}; ${first.device?.name}=${first.device?.value}`;
    const second = await respond(made, header, ({ session }) => session.set("a", 1));
    expect(second.device).toBeNull();
    const untouched = await respond(made, undefined, () => {});
    expect(untouched).toMatchObject({ device: null, cookie: null });
  });

  test("a session that is copied without it, or beside another, is another client", async () => {
    const made = world({ deviceCookie: true, binding: "step-up" });
    const own = await respond(made, undefined, ({ session }) => session.login("ada"));
    const other = await respond(made, undefined, ({ session }) => session.login("eve"));
    const sid = `${own.cookie?.name}=${own.cookie?.value}`;
    const device = (plan: typeof own) => `${plan.device?.name}=${plan.device?.value}`;
    const seen = async (header: string) =>
      (await made.browser({ client: HOME }).open(header)).session;
    expect((await seen(`${sid}; ${device(own)}`)).principal).toBe("ada");
    for (const header of [sid, `${sid}; ${device(other)}`, `${sid}; ${device(own)}x`])
      expect((await seen(header)).locked).toEqual({ why: "client", principal: "ada" });
    expect((await seen(sid)).checkClient()).toEqual({
      matches: false,
      reasons: ["device-changed"],
    });
    expect(made.told("client-changed")).toMatchObject(
      Array.from({ length: 4 }, () => ({ reasons: ["device-changed"] })),
    );
  });

  test("neither its id nor its digest is in what an admin sees or in an event", async () => {
    const made = world({ deviceCookie: true });
    const plan = await respond(made, undefined, ({ session }) => session.login("ada"));
    const shown = JSON.stringify([await made.sessions.list("ada"), made.events]);
    expect(shown).not.toContain(plan.device?.value.slice(0, 22));
  });
});

describe("ASVS 14.3.1 OWASP-clear Clear-Site-Data", () => {
  test.each<[SessionOptions["clearSiteData"], string | null]>([
    [undefined, null],
    [true, '"cookies", "storage"'],
    [["cache"], '"cache"'],
  ])("with %j a logout says %s, and nothing else does", async (clearSiteData, header) => {
    const { browser } = world({ clearSiteData });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    expect(visitor.plan?.clearSiteData).toBeNull();
    await visitor.visit((session) => session.logout());
    expect(visitor.plan?.clearSiteData).toBe(header);
    await visitor.visit(() => {});
    expect(visitor.plan?.clearSiteData).toBeNull();
  });
});
