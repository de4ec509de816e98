/** The option `principal`: the data tells who is logged in, as with passport. */
import { describe, expect, test } from "vitest";
import type { DataView } from "../src/options/types.ts";
import type { Browser } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { failureCode, must, world } from "./support/world.ts";

describe("option principal", () => {
  const principal = (data: DataView): string | null =>
    (data["passport"] as { user?: string } | undefined)?.user ?? null;

  /** What passport 0.7 does in `req.logIn`. */
  async function passportLogin(visitor: Browser, user: string): Promise<void> {
    const visit = await visitor.open();
    await new Promise<void>((resolve, reject) => {
      const before = visit.session;
      void before.regenerate((error) => {
        if (error) return reject(error);
        visit.session["passport"] = { user };
        return void visit.session.save((failed) => (failed ? reject(failed) : resolve()));
      });
    });
    await visit.close();
  }

  /** What passport 0.7 does in `req.logOut`. */
  async function passportLogout(visitor: Browser): Promise<void> {
    const visit = await visitor.open();
    await new Promise<void>((resolve, reject) => {
      delete (visit.session["passport"] as { user?: string }).user;
      void visit.session.save((error) => {
        if (error) return reject(error);
        return void visit.session.regenerate((failed) => (failed ? reject(failed) : resolve()));
      });
    });
    await visit.close();
  }

  test("F-04 passport's login indexes, limits and rotates; its logout ends", async () => {
    const { browser, sessions, told } = world({ principal, max: 1 });
    const [one, two] = [browser(), browser()];
    await one.visit((session) => void (session.cart = [1]));
    const planted = one.clone();
    await passportLogin(one, "ada");
    expect(await principalOf(planted)).toBeNull();
    expect(await principalOf(one)).toBe("ada");
    expect((await sessions.list("ada")).items).toHaveLength(1);
    await passportLogin(two, "ada");
    expect((await sessions.list("ada")).items).toHaveLength(1);
    expect(await one.visit((session) => session.ending?.why)).toBe("evicted");
    const stolen = two.clone();
    await passportLogout(two);
    expect((await sessions.list("ada")).items).toEqual([]);
    expect(await principalOf(stolen)).toBeNull();
    expect(told("login").map((event) => event.principal)).toEqual(["ada", "ada"]);
    expect(told("logout").map((event) => event.principal)).toContain("ada");
  });

  test("a principal that only appears in the data logs in at commit, data kept, token new", async () => {
    const { browser, sessions } = world({ principal });
    const visitor = browser();
    await visitor.visit((session) => void (session.cart = [1]));
    const planted = visitor.clone();
    await visitor.visit((session) => void (session["passport"] = { user: "ada" }));
    expect(await principalOf(planted)).toBeNull();
    await visitor.visit((session) => {
      expect(session.principal).toBe("ada");
      expect(session.cart).toEqual([1]);
      expect(session.level).toBe(1);
    });
    expect(await sessions.count()).toMatchObject({ active: 1, principals: 1 });
  });

  test("a principal that changes is a login of the other one", async () => {
    const { browser, sessions, told } = world({ principal });
    const visitor = browser();
    await passportLogin(visitor, "ada");
    const stolen = visitor.clone();
    await visitor.visit((session) => void (session["passport"] = { user: "bob" }));
    expect(await principalOf(stolen)).toBeNull();
    expect(await principalOf(visitor)).toBe("bob");
    expect((await sessions.list("ada")).items).toEqual([]);
    expect(told("login").map((event) => event.principal)).toEqual(["ada", "bob"]);
  });

  test("login() is refused: there is one way only", async () => {
    const { session } = await world({ principal }).browser().open();
    expect(await failureCode(session.login("ada"))).toBe("SOJOURN_ADAPTER_MISUSE");
  });

  test("a limit that refuses makes the commit fail, and nobody is logged in", async () => {
    const { browser, sessions } = world({ principal, max: 1, onLimit: "reject" });
    await passportLogin(browser(), "ada");
    const visit = await browser().open();
    visit.session["passport"] = { user: "ada" };
    expect(await failureCode(visit.close())).toBe("SOJOURN_LIMIT_REACHED");
    expect((await sessions.count()).active).toBe(1);
    expect(must(visit.session).principal).toBeNull();
  });
});
