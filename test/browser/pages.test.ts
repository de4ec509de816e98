/** Every page of the examples, looked at: light, dark and on a telephone; pictures in screenshots/. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium, Visitor } from "./chromium.ts";
import { Example } from "./example.ts";

const LOOKS: Record<string, BrowserContextOptions> = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  mobile: { viewport: { width: 360, height: 740 }, isMobile: true, colorScheme: "light" },
};
const STRANGER = ["/", "/cart", "/login", "/signup", "/nowhere"];
const SIGNED_IN = ["/", "/cart", "/devices", "/account", "/account/password", "/confirm"];
const PASSWORD = "a-long-way-from-home";

let browser: Browser;
let example: Example;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});
beforeAll(async () => {
  example = await Example.start("login-fastify");
  return () => example.close();
});

describe.each(Object.entries(LOOKS))("%s", (look, options) => {
  test("every page has a title, one heading, labels, no overflow, no complaint of the browser", async () => {
    const visitor = await Visitor.arrive(browser, example.url, options);
    const complaints: string[] = [];
    visitor.page.on("console", (message) => complaints.push(message.text()));

    for (const path of STRANGER) await inspect(visitor.page, path, `${look}-stranger`);
    await visitor.visit("/");
    await visitor.press("Add to cart Tin mug");
    await visitor.signIn("ada@example.test", PASSWORD);
    for (const path of SIGNED_IN) await inspect(visitor.page, path, look);
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
    await visitor.leave();
  });
});

async function inspect(page: Page, path: string, prefix: string): Promise<void> {
  await page.goto(path);
  const name = path === "/" ? "shop" : path.slice(1).replaceAll("/", "-");
  const file = new URL(`screenshots/${prefix}-${name}.png`, import.meta.url);
  await page.screenshot({ path: fileURLToPath(file), fullPage: true });
  expect(await page.title()).toMatch(/^\S.* · Waypost$/);
  expect({
    path,
    language: await page.locator("html").getAttribute("lang"),
    headings: await page.locator("h1").count(),
    scripts: await page.locator("script").count(),
    sideways: await page.evaluate(SIDEWAYS),
    unlabelled: await page.evaluate(UNLABELLED),
  }).toEqual({ path, language: "en", headings: 1, scripts: 0, sideways: 0, unlabelled: [] });
}

/** Runs in the page: how many pixels stick out at the side. */
const SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/** Runs in the page: names of inputs that a person fills in, without a label. */
const UNLABELLED = `[...document.querySelectorAll("input:not([type=hidden], [aria-hidden])")]
  .filter((input) => input.labels.length === 0)
  .map((input) => input.name)`;
