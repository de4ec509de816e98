/** Real Chromium, and what a person does in it. */
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Cookie, Page } from "playwright-core";
import { findServer } from "../servers.mjs";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Longest wait for one step of a person. */
const STEP_MS = 10_000;
/** And for Chromium to start: the first time it is 300 MB from a disk that others use, too. */
const START_MS = 90_000;

/** Starts Chromium; @throws if there is none. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findServer("chromium");
  if (executablePath === null) {
    throw new Error(
      "No Chromium: install it or set CHROMIUM_PATH (npm test installs it on Debian).",
    );
  }
  return chromium.launch({ executablePath, args: ARGS, timeout: START_MS });
}

/** One person at one device: a browser with cookies of its own. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  static async arrive(
    browser: Browser,
    baseURL: string,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({ baseURL, ...options });
    context.setDefaultTimeout(STEP_MS);
    return new Visitor(context, await context.newPage());
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(path);
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.visit("/login");
    await this.fillIn({ "E-mail": email, Password: password });
    await this.press("Sign in");
  }

  /** Fills inputs by their labels. */
  async fillIn(values: Record<string, string>): Promise<void> {
    for (const [label, value] of Object.entries(values)) {
      await this.page.getByLabel(label, { exact: true }).fill(value);
    }
  }

  /** Presses a button of the content, or of the header, and waits for the page that answers. */
  async press(name: string, where: "main" | "header" = "main"): Promise<void> {
    const button = this.page.locator(where).getByRole("button", { name }).first();
    await this.leadsOn(() => button.click());
  }

  /** Does something that ends in another page, and waits for it. */
  async leadsOn(action: () => Promise<void>): Promise<void> {
    const loaded = this.page.waitForEvent("domcontentloaded");
    await action();
    await loaded;
  }

  /** The notices of the present page. */
  async notices(): Promise<string[]> {
    return this.page.locator(".notice").allInnerTexts();
  }

  heading(): Promise<string> {
    return this.page.getByRole("heading", { level: 1 }).innerText();
  }

  /** Whether the present page says that somebody is signed in. */
  isSignedIn(): Promise<boolean> {
    return this.page.locator("header").getByRole("button", { name: "Sign out" }).isVisible();
  }

  /** The number in the header. */
  async cartCount(): Promise<number> {
    return Number.parseInt(await this.page.locator("nav .count").innerText(), 10);
  }

  cookies(): Promise<Cookie[]> {
    return this.#context.cookies();
  }

  /** Takes over cookies, as a thief would. */
  steal(cookies: Cookie[]): Promise<void> {
    return this.#context.addCookies(cookies);
  }

  async leave(): Promise<void> {
    await this.#context.close();
  }
}
