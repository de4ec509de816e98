/** The options: one error for all problems, and no url in it. */
import { expect, test } from "vitest";
import { redisStore } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";

test("lists every problem with its option, and never the url", () => {
  const wrong = {
    client: {},
    url: "http://me:hunter2@host",
    prefix: "a{b}",
    clock: 1,
    rememberExpired: 60,
  };
  const options = { ...wrong, unknown: true };
  let error: unknown;
  try {
    redisStore(options as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: "SOJOURN_OPTIONS_INVALID" });
  for (const name of Object.keys(options)) expect(String(error)).toContain(name);
  expect(String(error)).not.toContain("hunter2");
});

test.each([undefined, null, {}, { url: "redis://x", client: undefined, prefix: "" }])(
  "refuses %j",
  (options) => {
    expect(() => redisStore(options as never)).toThrowError(
      expect.objectContaining({ code: "SOJOURN_OPTIONS_INVALID" }),
    );
  },
);

test("refuses a client and a url together", () => {
  const client = Object.fromEntries(
    ["evalsha", "eval", "connect", "disconnect", "on", "off"].map((name) => [name, () => {}]),
  );
  expect(() => redisStore({ client, url: "redis://x" } as never)).toThrowError(
    /either client or url/,
  );
});

test("rememberExpired is a duration", () => {
  expect(parseOptions({ url: "redis://x", rememberExpired: "2h" }).rememberExpired).toBe(7_200_000);
});
