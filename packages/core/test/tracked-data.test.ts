/** What a request changed, against the plainest way to say it: the texts of all keys, before and after. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyChanges, type Changes, parseValues, TrackedData } from "../src/session/data.ts";

const KEYS = ["a", "b", "c", "__proto__"] as const;
const keys = fc.constantFrom(...KEYS);
const values = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "", null, true));
const objects = fc.dictionary(fc.constantFrom("p", "q"), values, { maxKeys: 2 });

type Step =
  | { readonly act: "set" | "mutate"; readonly key: string; readonly value: unknown }
  | { readonly act: "get" | "delete"; readonly key: string }
  | { readonly act: "peek" | "write" | "write more" | "forget" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ act: fc.constant("set"), key: keys, value: fc.oneof(values, objects) }),
  fc.record({ act: fc.constant("mutate"), key: keys, value: values }),
  fc.record({ act: fc.constantFrom("get", "delete"), key: keys }),
  fc.record({ act: fc.constantFrom("peek", "write", "write more", "forget") }),
) as fc.Arbitrary<Step>;

/** Every key whose text is another than in the text that was loaded or written last. */
function plainly(data: TrackedData): Changes | null {
  const [before, now] = [parseValues(data.loadedText), data.copy()];
  const changes = new Map<string, string | null>();
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [was, is] = [before[key], now[key]].map((each) => JSON.stringify(each) ?? null);
    if (was !== is) changes.set(key, is ?? null);
  }
  return changes.size === 0 ? null : [...changes];
}

const byKey = (changes: Changes | null) => changes && new Map(changes);

/** As a commit does it: what this request sends, and somebody else's key beside it. */
function write(data: TrackedData, others: string): void {
  const changes = data.changes();
  const sent = data.text();
  if (changes !== null)
    data.written(applyChanges(applyChanges(data.loadedText, changes), [["d", others]]), sent);
}

function take(data: TrackedData, step: Step): void {
  if (step.act === "set") data.set(step.key, structuredClone(step.value));
  if (step.act === "get") data.get(step.key);
  if (step.act === "delete") data.delete(step.key);
  if (step.act === "peek") data.peek();
  if (step.act === "write") write(data, parseValues(data.loadedText)["d"] === 1 ? "1" : "0");
  if (step.act === "write more") write(data, "2");
  if (step.act === "forget") data.forget();
  if (step.act !== "mutate") return;
  const value = data.get(step.key);
  if (typeof value === "object" && value !== null) Reflect.set(value, "p", step.value);
}

test("what changed is told as comparing every key would tell it, whatever was done before", () => {
  const loaded = fc.dictionary(keys, fc.oneof(values, objects)).map((each) => JSON.stringify(each));
  fc.assert(
    fc.property(loaded, fc.array(steps, { maxLength: 20 }), (text, all) => {
      const data = new TrackedData(text, undefined);
      for (const step of all) {
        take(data, step);
        expect(byKey(data.changes())).toEqual(byKey(plainly(data)));
      }
    }),
    { numRuns: 3_000 },
  );
});
