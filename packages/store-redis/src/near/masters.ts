/** The servers that a client writes to, each with a tag that it keeps. */
import { EVERY, tagsOfSlots } from "../names.ts";
import type { RedisClient } from "../options.ts";

/** A server: a client that goes there, and a tag whose keys are there. */
export interface Master {
  readonly client: RedisClient;
  readonly tag: string;
}

/** By address. Of a cluster those that have slots; else the one server there is. */
export function mastersOf(client: RedisClient): ReadonlyMap<string, Master> {
  if (client.isCluster !== true) return new Map([["", { client, tag: EVERY }]]);
  const nodes = new Map(
    ((client.nodes?.("master") ?? []) as readonly RedisClient[]).map((node) => [
      addressOf(node),
      node,
    ]),
  );
  const masters = new Map<string, Master>();
  for (const [slot, tag] of tagsOfSlots()) {
    const address = client.slots?.[slot]?.[0];
    const node = address === undefined ? undefined : nodes.get(address);
    if (address === undefined || node === undefined || masters.has(address)) continue;
    masters.set(address, { client: node, tag });
    if (masters.size === nodes.size) break;
  }
  return masters;
}

function addressOf({ options }: RedisClient): string {
  return `${options?.host ?? ""}:${options?.port ?? ""}`;
}
