/** Messages from other processes: an event of the right form, or nothing. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { createSessionManager, memoryStore } from "@sojourn/core";
import type { AnySessionEvent } from "@sojourn/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { decodeEvents, encodeEvents } from "../../packages/core/src/nodes/crossing.ts";
import type { Handle, SignalListener } from "../../packages/core/src/store/contract.ts";
import { SECRET } from "./support/answer.ts";
import { anyText, damaged, spoiled } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const NODE = "node-a";
const handle = "abcAAAAAAAAAAAAAAAA" as Handle;
const ending = { why: "revoked", at: 1_800_000_000_000, reason: "password changed" } as const;
const base = { at: ending.at, handle, principal: "ada", client: { ip: "192.0.2.7" } };
const EVENTS: readonly AnySessionEvent[] = [
  { ...base, type: "login", previous: null },
  { ...base, type: "logout", ending: { ...ending, why: "logout" } },
  { ...base, type: "revoked", except: null, count: 2, ending },
  { ...base, type: "revoked", handle: null, principal: null, except: null, count: null, ending },
  { ...base, type: "evicted", ending: { ...ending, why: "evicted", successor: handle } },
];

const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `${item}` : item)) ?? "";
const messages = (): fc.Arbitrary<string> => {
  const event = fc.constantFrom(...EVENTS);
  const some = fc.array(event, { minLength: 1, maxLength: 3 });
  const told = (events: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
    fc.tuple(events, some).map(([bad, good]) => text({ v: 2, node: "b", events: [bad, ...good] }));
  return fc.oneof(
    some.chain((good) => damaged(encodeEvents("node-b", good).join())),
    spoiled({ v: 2, node: "b", events: EVENTS }).map(text),
    told(event.chain((good) => spoiled({ ...good }))),
    told(event.chain((good) => spoiled(ending).map((bad) => ({ ...good, ending: bad })))),
    fc.json({ maxDepth: 3 }),
    anyText,
  );
};

const isText = (value: unknown): boolean => typeof value === "string";
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

function isOfTheRightForm(event: ReturnType<typeof decodeEvents>[number]): void {
  expect(event.remote).toBe(true);
  expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  const { type, at, principal } = event;
  expect(["login", "logout", "revoked", "evicted"]).toContain(type);
  expect(Number.isFinite(at)).toBe(true);
  expect([isTextOrNull(event.handle), isTextOrNull(principal)]).toEqual([true, true]);
  if (type === "login") return expect(isTextOrNull(event.previous)).toBe(true);
  expect([isText(event.ending.why), Number.isFinite(event.ending.at)]).toEqual([true, true]);
}

fuzz("any message: events of the right form, or none", messages, (message) => {
  for (const event of decodeEvents(NODE, message)) isOfTheRightForm(event);
});

fuzz(
  "any message to a manager that watches, counts and audits: nobody throws",
  () => {
    return fc.array(messages(), { minLength: 1, maxLength: 8 });
  },
  async (all) => {
    const warnings: unknown[] = [];
    const note = (_facts: object, message: string): void => void warnings.push(message);
    let listener: SignalListener | undefined;
    const signals = {
      send: async () => {},
      listen: (_topic: string, given: SignalListener) => {
        listener = given;
        return () => {};
      },
    };
    const logger = { debug() {}, info() {}, warn: note, error: note };
    const store = Object.assign(memoryStore(), { signals });
    const { sessions } = createSessionManager({ secret: SECRET, logger, store, audit: () => {} });
    const { session } = await sessions.create({ principal: "ada" });
    const { handle: watched } = session;
    sessions.watch(watched, ({ why }) => why.toUpperCase());
    for (const type of ["logout", "revoked", "evicted"] as const)
      sessions.on(type, ({ ending: { why } }) => why.toUpperCase());
    for (const message of all) listener?.message(message.replaceAll(handle, watched));
    await sessions.close();
    expect(warnings).toEqual([]);
  },
  { oneIn: 10 },
);
