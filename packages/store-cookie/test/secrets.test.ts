/** [G6] Nothing that is planted in a session shows in a cookie, in the ledger, in an event or in an error. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { cookiesOf, world } from "./support/world.ts";

const PLANTED = "planted-4111111111111111";

test("[G6] [X-09] what is planted shows in no cookie, no record of the ledger, no event and no error", async () => {
  const made = world({ options: { breaker: false }, store: { chunks: 2 } });
  const shown: unknown[] = [];
  const note = (...values: unknown[]): number =>
    shown.push(...values.map((value) => inspect(value, { depth: 9 })));
  const ada = await made.loggedIn("ada");
  const { session, close } = await ada.open();
  session["card"] = PLANTED;
  const plan = await close();
  note(cookiesOf(plan), Buffer.from(plan.carried[0]?.value ?? "", "base64url").toString("latin1"));
  await ada.visit((visit) => visit.rotate());
  await ada.visit((visit) => visit.revokeOthers());
  const thief = ada.copy();
  await ada.visit((visit) => visit.logout());
  await thief.visit(({ principal }) => principal);
  const large = await (await made.loggedIn("ada")).open();
  large.session["card"] = PLANTED.repeat(1_000);
  note(await large.session.save().catch((error: unknown) => error));
  made.ledger.around = async () => {
    throw new Error("away");
  };
  note(await thief.open().catch((error: unknown) => error));
  for (const kind of ["epoch:session", "session"])
    for await (const record of made.ledger.store.scan(kind)) note(record);
  note(made.events);

  const text = shown.join("\n");
  const secrets = [PLANTED, ...[...thief.jar.values()].map((value) => value.slice(8, 40))];
  expect(text.length).toBeGreaterThan(2_000);
  expect(secrets).toHaveLength(3);
  expect(secrets.slice(1).filter((secret) => text.includes(secret))).toEqual([]);
  expect(text).not.toContain(PLANTED);
});
