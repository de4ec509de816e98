/**
 * Memory of a session. `SESSIONS=100000 npx vitest run --project store-redis memory` prints the table
 * of the guide.
 */
import { expect, test } from "vitest";
import { ALL, measure, SHORT } from "./support/memory.ts";

const SESSIONS = Number(process.env["SESSIONS"] ?? 10_000);
const LONG = SESSIONS >= 100_000;
/** At 10,000 sessions hardly two share the indexes of a tag. */
const MOST = LONG ? 1_000 : 1_250;

test(`a session of 500 B takes at most ${MOST} B of memory with its index (${SESSIONS} sessions)`, async () => {
  const figures = await measure(LONG ? ALL : SHORT, SESSIONS);
  const rows = figures.map(({ what, bytes }) => `${bytes.toFixed(0).padStart(6)}  ${what}`);
  console.log([`Bytes a session, of ${SESSIONS}:`, ...rows].join("\n"));
  const own = figures.find(({ what }) => /sojourn.*500 B.*6 char/.test(what));
  expect(own?.bytes).toBeGreaterThan(500);
  expect(own?.bytes).toBeLessThan(MOST);
}, 600_000);
