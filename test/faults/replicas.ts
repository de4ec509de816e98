/** Replicas that fall behind: what their master acknowledges meanwhile is lost with it. */
import { setTimeout as pause } from "node:timers/promises";
import type { Server } from "../../packages/store-redis/test/support/server.ts";

/** How long they are behind before their master dies, in ms. */
const BEHIND = 300;

/** Cuts replicas off from their master, and waits a moment. */
export async function cutReplicas(master: Server, replicas: readonly Server[]): Promise<void> {
  // A master without a password refuses one, so they do not come back.
  await Promise.all(replicas.map((replica) => tell(replica, "CONFIG", "SET", "masterauth", "x")));
  await tell(master, "CLIENT", "KILL", "TYPE", "replica");
  await pause(BEHIND);
}

/** Lets them follow a master again. */
export async function joinReplicas(replicas: readonly Server[]): Promise<void> {
  await Promise.all(replicas.map((replica) => tell(replica, "CONFIG", "SET", "masterauth", "")));
}

async function tell(server: Server, command: string, ...args: string[]): Promise<void> {
  const client = server.client();
  await client.call(command, ...args);
  client.disconnect();
}
