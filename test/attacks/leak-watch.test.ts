/** The watch of test/support/no-leaks.ts over every test sees what it is there to see. */
import { channel } from "node:diagnostics_channel";
import { createSessionManager, SojournError } from "@sojourn/core";
import { expect, test } from "vitest";

declare function takeLeaks(): string[];

/** A token that this process has minted. */
async function token(): Promise<string> {
  const { sessions } = createSessionManager({ secret: "a secret of the leak watch, long enough" });
  const { setCookie } = await sessions.create({ principal: "ada" });
  await sessions.close();
  return /=([^.]+[.][^.;]+)/.exec(setCookie)?.[1] ?? "";
}

test("T-LOG the watch over the whole suite sees a token in a log, an error, an event and a store", async () => {
  const secret = await token();
  expect(takeLeaks()).toEqual([]);
  console.debug(`logged ${secret}`);
  expect(takeLeaks()).toEqual(["console.debug"]);
  expect(
    new SojournError("SOJOURN_DATA_INVALID", "planted", { details: { secret } }),
  ).toBeDefined();
  expect(takeLeaks()).toEqual(["an error"]);
  const { sessions } = createSessionManager({ secret: "a secret of the leak watch, long enough" });
  await sessions.create({ principal: secret });
  await sessions.close();
  expect(takeLeaks().toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    "sojourn:audit",
    "sojourn:session",
    "the store's create",
  ]);
});

test("T-LOG it sees one also where a hostile store has put what has no JSON beside it", async () => {
  channel("sojourn:session").publish({ secret: await token(), size: 1n });
  expect(takeLeaks()).toEqual(["sojourn:session"]);
});
