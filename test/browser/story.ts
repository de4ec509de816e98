/** The login story in real Chromium, told once for every example that has it. */
import { afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { launchChromium, Visitor } from "./chromium.ts";
import { Example } from "./example.ts";
import type { ExampleName } from "./example.ts";

const PASSWORD = "three words and a dog";
const MINUTE = 60_000;
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
const EVICTED = "You were signed out because you signed in on more than 3 devices.";

/** Declares the tests of one example. */
export function tellStory(name: ExampleName): void {
  let browser: Browser;
  let example: Example;
  let visitors: Visitor[] = [];
  let people = 0;

  beforeAll(async () => {
    browser = await launchChromium();
    return () => browser.close();
  });
  beforeAll(async () => {
    example = await Example.start(name);
    return () => example.close();
  });
  afterEach(async () => {
    await Promise.all(visitors.map((visitor) => visitor.leave()));
    visitors = [];
  });

  async function arrive(options?: BrowserContextOptions): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, example.url, options);
    visitors.push(visitor);
    return visitor;
  }

  async function signUp(visitor: Visitor): Promise<string> {
    people += 1;
    const email = `person${people}@example.test`;
    await visitor.visit("/signup");
    await visitor.fillIn({ Name: `Person ${people}`, "E-mail": email, "New password": PASSWORD });
    await visitor.press("Sign up");
    return email;
  }

  async function newPerson(): Promise<{ email: string; device: Visitor }> {
    const device = await arrive();
    return { email: await signUp(device), device };
  }

  async function anotherDevice(email: string, options?: BrowserContextOptions): Promise<Visitor> {
    const device = await arrive(options);
    await device.signIn(email, PASSWORD);
    return device;
  }

  test("a visitor who only looks gets no cookie", async () => {
    const visitor = await arrive();
    await visitor.visit("/");
    await visitor.visit("/cart");
    expect(await visitor.cookies()).toEqual([]);
  });

  test("a stranger's cart of 2 is there after signing up, under a new token", async () => {
    const visitor = await arrive();
    await visitor.visit("/");
    await visitor.press("Add to cart Tin mug");
    await visitor.press("Add to cart Camp lantern");
    const [before] = await visitor.cookies();
    await signUp(visitor);
    const [after, ...others] = await visitor.cookies();
    expect(await visitor.cartCount()).toBe(2);
    expect(await visitor.isSignedIn()).toBe(true);
    expect(others).toEqual([]);
    expect(after).toMatchObject({
      name: before?.name,
      httpOnly: true,
      sameSite: "Lax",
      expires: -1,
    });
    expect(after?.value).not.toBe(before?.value);
  });

  test("the fourth device signs out the first, which is told why, once", async () => {
    const { email, device: first } = await newPerson();
    const others = [];
    for (let n = 2; n <= 4; n += 1) others.push(await anotherDevice(email));
    await first.visit("/");
    expect(await first.notices()).toEqual([EVICTED]);
    expect(await first.isSignedIn()).toBe(false);
    await first.visit("/");
    expect(await first.notices()).toEqual([]);
    for (const other of others) {
      await other.visit("/");
      expect(await other.isSignedIn()).toBe(true);
    }
  });

  test("the reason is told on the page after a post, too, once", async () => {
    const { email, device: first } = await newPerson();
    await first.visit("/");
    for (let n = 2; n <= 4; n += 1) await anotherDevice(email);
    await first.press("Add to cart Tin mug");
    expect(await first.notices()).toEqual([EVICTED]);
    await first.visit("/");
    expect(await first.notices()).toEqual([]);
    expect(await first.cartCount()).toBe(1);
  });

  test("the devices page marks this device and signs out another, which is told so", async () => {
    const { email, device: laptop } = await newPerson();
    const phone = await anotherDevice(email, { userAgent: IPHONE });
    await laptop.visit("/devices");
    expect(await laptop.page.locator(".devices h2").allInnerTexts()).toEqual([
      "Safari on iPhone",
      expect.stringMatching(/^Chrome on Linux\s+This device$/),
    ]);
    await laptop.press("Sign out Safari on iPhone");
    expect(await laptop.notices()).toEqual(["That device is signed out."]);
    expect(await laptop.page.locator(".devices li").count()).toBe(1);
    await phone.visit("/account");
    expect(await phone.heading()).toBe("Sign in");
    expect(await phone.notices()).toEqual([
      "You were signed out because you signed this device out from another one.",
    ]);
  });

  test("T-MULTI nobody signs out a device of somebody else by its handle", async () => {
    const { device: victim } = await newPerson();
    const { email, device: attacker } = await newPerson();
    await anotherDevice(email);
    await victim.visit("/");
    await victim.page.locator("summary").click();
    const handle = await victim.page.locator("dd code").innerText();
    await attacker.visit("/devices");
    await attacker.page
      .locator("input[name=handle]")
      .first()
      .evaluate((input, value) => {
        input.setAttribute("value", value);
      }, handle);
    await attacker.press("Sign out Chrome");
    await victim.visit("/");
    expect(await victim.isSignedIn()).toBe(true);
  });

  test("'Sign out all others' leaves 1 device, and tells the other why", async () => {
    const { email, device: other } = await newPerson();
    const mine = await anotherDevice(email);
    await mine.visit("/devices");
    await mine.press("Sign out all others");
    expect(await mine.page.locator(".devices li").count()).toBe(1);
    await other.visit("/");
    expect(await other.notices()).toEqual([
      "You were signed out because you signed this device out from another one.",
    ]);
  });

  test("'Log out everywhere' ends every device, this one too", async () => {
    const { email, device: other } = await newPerson();
    const mine = await anotherDevice(email);
    await mine.visit("/devices");
    await mine.press("Log out everywhere");
    expect(await mine.notices()).toEqual(["You are signed out everywhere."]);
    expect(await mine.isSignedIn()).toBe(false);
    await other.visit("/devices");
    expect(await other.heading()).toBe("Sign in");
    expect(await other.notices()).toEqual([
      "You were signed out because you signed out everywhere.",
    ]);
  });

  test("4 minutes after the login the password changes without a question", async () => {
    const { device: visitor } = await newPerson();
    await example.pass(4 * MINUTE);
    await visitor.visit("/account/password");
    expect(await visitor.heading()).toBe("Change password");
  });

  test("6 minutes after it is asked for first; the change signs out the others with the reason", async () => {
    const { email, device: mine } = await newPerson();
    const other = await anotherDevice(email);
    await example.pass(6 * MINUTE);
    await mine.visit("/account");
    await mine.leadsOn(async () =>
      mine.page.getByRole("link", { name: "Change password" }).click(),
    );
    expect(await mine.heading()).toBe("Is it still you?");
    await mine.fillIn({ Password: "not the password" });
    await mine.press("Go on");
    expect(await mine.notices()).toEqual(["That is not the password."]);

    const [before] = await mine.cookies();
    await mine.fillIn({ Password: PASSWORD });
    await mine.press("Go on");
    expect(await mine.heading()).toBe("Change password");
    const [after] = await mine.cookies();
    expect(after?.value).not.toBe(before?.value);

    await mine.fillIn({ "New password": "four words and two dogs" });
    await mine.press("Change password");
    expect(await mine.notices()).toEqual([
      "Your password is changed. Other devices signed out: 1.",
    ]);
    expect(await mine.isSignedIn()).toBe(true);
    await other.visit("/");
    expect(await other.notices()).toEqual([
      "You were signed out because your password was changed on another device.",
    ]);
    await other.signIn(email, PASSWORD);
    expect(await other.notices()).toEqual(["E-mail or password is wrong."]);
    await other.signIn(email, "four words and two dogs");
    expect(await other.isSignedIn()).toBe(true);
  });

  test("after logout neither this browser nor a thief of its cookie is signed in", async () => {
    const { device: visitor } = await newPerson();
    const stolen = await visitor.cookies();
    await visitor.press("Sign out", "header");
    expect(await visitor.notices()).toEqual(["You are signed out."]);
    expect(await visitor.isSignedIn()).toBe(false);
    const thief = await arrive();
    await thief.steal(stolen);
    await thief.visit("/devices");
    expect(await thief.heading()).toBe("Sign in");
  });

  test("half an hour without a request ends the session, and says so", async () => {
    const { device: visitor } = await newPerson();
    await example.pass(29 * MINUTE);
    await visitor.visit("/");
    expect(await visitor.isSignedIn()).toBe(true);
    await example.pass(30 * MINUTE);
    await visitor.visit("/");
    expect(await visitor.isSignedIn()).toBe(false);
    expect(await visitor.notices()).toEqual([
      "You were signed out because nothing happened for 30 minutes.",
    ]);
  });

  test("a day after the login the session ends in any case, and says so", async () => {
    const { device: visitor } = await newPerson();
    for (let minute = 25; minute < 24 * 60; minute += 25) {
      await example.pass(25 * MINUTE);
      await visitor.visit("/cart");
    }
    expect(await visitor.isSignedIn()).toBe(true);
    await example.pass(25 * MINUTE);
    await visitor.visit("/cart");
    expect(await visitor.notices()).toEqual([
      "You were signed out because you signed in 24 hours ago.",
    ]);
  });

  test("SIGKILL and a restart of the server sign nobody out and lose no cart", async () => {
    const { email, device: first } = await newPerson();
    const second = await anotherDevice(email);
    await first.visit("/");
    await first.press("Add to cart Day pack");
    const stranger = await arrive();
    await stranger.visit("/");
    await stranger.press("Add to cart Tin mug");
    await example.crashAndRestart();
    for (const device of [first, second]) {
      await device.visit("/cart");
      expect(await device.isSignedIn()).toBe(true);
    }
    expect(await first.cartCount()).toBe(1);
    await stranger.visit("/cart");
    expect(await stranger.cartCount()).toBe(1);
  });

  test("the keyboard alone skips to the content and signs in", async () => {
    const { email } = await newPerson();
    const visitor = await arrive();
    const { keyboard } = visitor.page;
    await visitor.visit("/");
    await keyboard.press("Tab");
    expect(await visitor.page.locator(":focus").innerText()).toBe("Skip to content");
    await keyboard.press("Enter");
    expect(await visitor.page.locator(":focus").getAttribute("id")).toBe("main");
    await keyboard.press("Tab");
    await visitor.leadsOn(() => keyboard.press("Enter"));
    expect(await visitor.heading()).toBe("Sign in");
    await keyboard.type(email);
    await keyboard.press("Tab");
    await keyboard.type(PASSWORD);
    await visitor.leadsOn(() => keyboard.press("Enter"));
    expect(await visitor.isSignedIn()).toBe(true);
  });

  test("everything works without JavaScript", async () => {
    const visitor = await arrive({ javaScriptEnabled: false });
    await visitor.visit("/");
    await visitor.press("Add to cart Field notebook");
    await signUp(visitor);
    await visitor.visit("/cart");
    await visitor.press("Place the order");
    expect(await visitor.notices()).toEqual([expect.stringMatching(/^Thank you/)]);
    expect(await visitor.cartCount()).toBe(0);
    await visitor.press("Sign out", "header");
    expect(await visitor.notices()).toEqual(["You are signed out."]);
  });

  test("T-CSRF a form of another site is refused with 403", async () => {
    const { device: visitor } = await newPerson();
    const page = visitor.page;
    await page.goto("about:blank");
    await page.setContent(
      `<form method="post" action="${example.url}/logout"><button>Win</button></form>`,
    );
    const answer = page.waitForResponse(`${example.url}/logout`);
    await page.getByRole("button", { name: "Win" }).click();
    expect((await answer).status()).toBe(403);
    await visitor.visit("/");
    expect(await visitor.isSignedIn()).toBe(true);
  });

  test("a name full of markup is shown as text", async () => {
    const visitor = await arrive();
    await visitor.visit("/signup");
    const markup = `<img src=x onerror="document.title='broken'">`;
    await visitor.fillIn({
      Name: markup,
      "E-mail": `markup@example.test`,
      "New password": PASSWORD,
    });
    await visitor.press("Sign up");
    expect(await visitor.page.getByRole("link", { name: markup }).isVisible()).toBe(true);
    expect(await visitor.page.locator("img").count()).toBe(0);
  });
}
