/**
 * T-TIME, ASVS 11.2.4: how long the answer to each kind of bad cookie takes. Printed, never asserted: a
 * shared machine cannot decide it. What decides it is what the code does:
 * - The store is asked by the SHA-256 of the token, so how far a guess agrees with a stored key tells nothing of
 *   the token (CVE-2019-16782), and only for a token whose MAC was right: who cannot sign, cannot time the store.
 * - A MAC is compared by `timingSafeEqual` over 32 bytes, wherever it differs.
 * - The form (`cut`) and the key id (`unknown-key`) are judged before the MAC is made, and so are quicker. Both are
 *   public: the form is in the source, the key id in every cookie. They tell nothing that is secret.
 */
import { createSessionManager, memoryStore } from "@sojourn/core";
import { expect, test } from "vitest";
import { CLIENT, COOKIE, SECRET } from "./support/answer.ts";

const SAMPLES = Number(process.env["TIMING_SAMPLES"] ?? 300);
/** Requests that are timed together, so that the steps of the clock do not matter. */
const TOGETHER = 20;

function flip(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

async function cookies(
  manager: ReturnType<typeof createSessionManager>,
  now: { ms: number },
): Promise<Record<string, string>> {
  const create = async (from = manager): Promise<string> => {
    const { setCookie } = await from.sessions.create({ principal: "ada" });
    return setCookie.slice(setCookie.indexOf("=") + 1, setCookie.indexOf(";"));
  };
  const base = { logger: false, cookie: { secure: true } } as const;
  const unknown = createSessionManager({ ...base, secret: SECRET });
  const stranger = createSessionManager({ ...base, secret: `another ${SECRET}` });
  const expired = await create();
  now.ms += 2 * 3_600_000;
  const genuine = await create();
  return {
    "wrong in its first MAC letter": flip(genuine, 52),
    "wrong in the middle of the MAC": flip(genuine, 70),
    "wrong in its last whole MAC letter": flip(genuine, 93),
    "wrong in the token": flip(genuine, 20),
    "of an unknown key": await create(stranger),
    cut: genuine.slice(0, -1),
    "signed, of no session": await create(unknown),
    "signed, expired": expired,
  };
}

/** Two-sided z of the Mann-Whitney test, ties by their mean rank. */
function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((ms) => ({ ms, isA: true })), ...b.map((ms) => ({ ms, isA: false }))];
  all.sort((one, other) => one.ms - other.ms);
  let ranks = 0;
  for (let from = 0, to = 0; from < all.length; from = to) {
    while (to < all.length && all[to]?.ms === all[from]?.ms) to++;
    ranks += all.slice(from, to).filter(({ isA }) => isA).length * ((from + to + 1) / 2);
  }
  const u = ranks - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt((a.length * b.length * (all.length + 1)) / 12);
  return (u - (a.length * b.length) / 2) / deviation;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

test(
  "T-TIME ASVS 11.2.4 the time of 8 kinds of bad cookies is measured, interleaved, and printed",
  { timeout: 60_000 + SAMPLES * 20 },
  async () => {
    const now = { ms: 1_800_000_000_000 };
    const clock = { now: () => now.ms };
    const manager = createSessionManager({
      secret: SECRET,
      logger: false,
      cookie: { secure: true },
      idle: "1h",
      store: memoryStore({ clock }),
    });
    const { pipeline } = manager;
    const kinds = Object.entries(await cookies(manager, now));
    const times = new Map<string, number[]>(kinds.map(([name]) => [name, []]));
    for (let sample = 0; sample < SAMPLES; sample++) {
      // Another order each time: neither the first nor the one after a slow one is always the same.
      for (const [name, value] of kinds.toSorted(() => Math.random() - 0.5)) {
        const facts = { cookieHeader: `${COOKIE}=${value}`, secure: true, client: () => CLIENT };
        const began = performance.now();
        for (let visit = 0; visit < TOGETHER; visit++) {
          const context = await pipeline.begin(facts);
          expect(context.session.principal === null).toBe(true);
          await pipeline.commit(context);
        }
        times.get(name)?.push(((performance.now() - began) * 1_000) / TOGETHER);
      }
    }
    const [[, first] = ["", []]] = times;
    const rows = [...times].map(([name, all]) => ({
      cookie: name,
      "median µs": quantile(all, 0.5).toFixed(2),
      "p10 µs": quantile(all, 0.1).toFixed(2),
      "p90 µs": quantile(all, 0.9).toFixed(2),
      "z against the first": mannWhitney(all, first).toFixed(2),
    }));
    console.info(`T-TIME: ${SAMPLES} samples of ${TOGETHER} requests each`);
    console.table(rows);
    expect(rows).toHaveLength(8);
  },
);
