/** The program of the child processes: `hold`, `race`, `storm` and `fill`. */
import { writeSync } from "node:fs";
import { once } from "node:events";
import { isSojournError } from "@sojourn/core/store";
import { fileStore } from "../../src/index.ts";
import { HandClock, recordOf } from "./records.ts";
import { operations, perform } from "./storm.ts";

const [mode = "", path = "", ...rest] = process.argv.slice(2);
const print = (line: string): void => void writeSync(1, `${line}\n`);
const codeOf = (error: unknown): string => (isSojournError(error) ? error.code : String(error));

/** Opens, creates a record, says so, and stays. */
async function hold(): Promise<void> {
  const store = fileStore({ path, clock: new HandClock() });
  await store.create(recordOf(`held-by-${process.pid}`));
  print("held");
  process.stdin.resume();
  await once(process.stdin, "end");
}

/** Opens when told to, and says what came of it. */
async function race(): Promise<void> {
  print("ready");
  await once(process.stdin, "data");
  const store = fileStore({ path, clock: new HandClock() });
  const opening = store.open?.() ?? Promise.resolve();
  print(await opening.then(() => "won", codeOf));
  await once(process.stdin, "end");
}

/** Works in several lanes at once until it is killed, and reports each beginning and each end. */
async function storm(): Promise<void> {
  const [seed = "1", lanes = "4", durability = "fsync"] = rest;
  const store = fileStore({
    path,
    clock: new HandClock(),
    compactAfter: 8 * 1024,
    durability: durability === "write" ? "write" : "fsync",
  });
  await store.open?.();
  const lane = async (number: number): Promise<void> => {
    for (const operation of operations(`lane${number}`, Number(seed) * 100 + number)) {
      print(JSON.stringify({ lane: number, operation }));
      await perform(store, operation);
      print(JSON.stringify({ lane: number, done: true }));
    }
  };
  await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(number)));
}

/** Creates records until one is refused, and reports what was acknowledged. */
async function fill(): Promise<void> {
  const store = fileStore({ path, clock: new HandClock() });
  for (let serial = 0; ; serial += 1) {
    try {
      await store.create(recordOf(`r${serial}`, { payload: "x".repeat(2_000) }));
      print(`r${serial}`);
    } catch (error) {
      print(codeOf(error));
      break;
    }
  }
  print(await store.close().then(() => "closed", codeOf));
}

const modes: Record<string, () => Promise<void>> = { hold, race, storm, fill };
await modes[mode]?.();
process.exit(0);
