/** Whether a request costs more when there are more sessions. */
import type { Contender } from "../contender.ts";
import { measure } from "../load/rounds.ts";
import { Child } from "../process/child.ts";
import type { Servers } from "../servers.ts";
import { medianOf } from "../statistics.ts";

const ROUNDS = 5;
const WINDOW = 1_500;
const CONNECTIONS = 50;

/** CPU time of `/read`, in µs a request, at each number of sessions; measured in turn, and again. */
export async function readCpuBySessions(
  contender: Contender,
  sizes: readonly number[],
  servers: Servers,
): Promise<number[]> {
  const lanes: { child: Child; cookies: readonly string[]; cpu: number[] }[] = [];
  try {
    for (const count of sizes) {
      const child = await Child.start(contender, servers.places());
      const seeding = { ask: "seed", from: 0, count, perUser: 1, forget: false } as const;
      lanes.push({ child, cookies: await child.ask(seeding), cpu: [] });
    }
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { child, cookies, cpu } of lanes) {
        const settings = { cookies, connections: CONNECTIONS, windowMs: WINDOW };
        const sample = await measure(child, { ...settings, route: "read" });
        if (round > 0) cpu.push(sample.cpu);
      }
    }
    return lanes.map(({ cpu }) => medianOf(cpu));
  } finally {
    for (const { child } of lanes) await child.stop();
  }
}
