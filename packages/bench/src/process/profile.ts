/** Where the time of this process goes: whose code is on the stack, as V8 samples it. */
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";

/** µs by whose code it was: a package, Node, or what V8 does besides. */
export type TimeByOwner = Readonly<Record<string, number>>;

/** Between two samples, in µs. */
const INTERVAL = 200;

/** Samples this process, from `start` to `stop`. */
export class Sampler {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.setSamplingInterval", { interval: INTERVAL });
    await this.#session.post("Profiler.start");
  }

  async stop(): Promise<TimeByOwner> {
    const { profile } = await this.#session.post("Profiler.stop");
    this.#session.disconnect();
    return timeByOwner(profile);
  }
}

/** Native functions count for whoever called them, but for these. */
const NATIVE: Readonly<Record<string, string | null>> = {
  "(idle)": null,
  "(garbage collector)": "garbage collection",
  "(program)": "V8 and libuv outside of functions",
  writev: "writing to sockets",
  writeUtf8String: "writing to sockets",
  writeLatin1String: "writing to sockets",
  writeBuffer: "writing to sockets",
};

/** Adds up the samples of a profile by owner, without those in which the process waited. */
export function timeByOwner({
  nodes,
  samples = [],
  timeDeltas = [],
}: Profiler.Profile): TimeByOwner {
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((id) => [id, node])));
  const owners = new Map(nodes.map((node) => [node.id, ownerOf(node, parents)]));
  const times: Record<string, number> = {};
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id) ?? null;
    if (owner !== null) times[owner] = (times[owner] ?? 0) + (timeDeltas[index] ?? 0);
  }
  return times;
}

function ownerOf(
  leaf: Profiler.ProfileNode,
  parents: ReadonlyMap<number, Profiler.ProfileNode>,
): string | null {
  const native = NATIVE[leaf.callFrame.functionName];
  if (native !== undefined && leaf.callFrame.url === "") return native;
  for (let node: Profiler.ProfileNode | undefined = leaf; node; node = parents.get(node.id)) {
    const owner = ownerOfFile(node.callFrame.url);
    if (owner !== null) return owner;
  }
  return "V8 and libuv outside of functions";
}

const PACKAGE = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const OURS = /\/packages\/([a-z-]+)\//;

function ownerOfFile(url: string): string | null {
  if (url.startsWith("node:internal/crypto")) return "node:crypto";
  if (url.startsWith("node:")) return "Node besides";
  const [, name = null] = PACKAGE.exec(url) ?? [];
  if (name !== null) return name;
  const [, own = null] = OURS.exec(url) ?? [];
  if (own === "bench") return "the handler";
  return own === null ? null : `@sojourn/${own}`;
}
