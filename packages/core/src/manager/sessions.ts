/** The manager: sessions seen from outside a request. */
import type { SessionEvents } from "../events.ts";
import type { Engine } from "../lifecycle/engine.ts";
import { crosses } from "../nodes/crossing.ts";
import type { Pipeline } from "../pipeline.ts";
import { batchMethods } from "./batch.ts";
import { createOutside } from "./create.ts";
import { describePolicy } from "./describe.ts";
import { inspectMethods } from "./inspect.ts";
import { revokeMethods } from "./revoke.ts";
import type { Sessions } from "./types.ts";
import { sessionOfUpgrade } from "./upgrade.ts";
import { exportSnapshot } from "../snapshot/export.ts";
import { importSnapshot } from "../snapshot/import.ts";
import { Watches } from "./watch.ts";

/** Implements {@link Sessions}. */
export function createSessions(engine: Engine, pipeline: Pipeline): Sessions {
  const { events, local, queue, relay, settings } = engine;
  const watches = new Watches(engine);
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    watches.close();
    await queue.idle();
    try {
      await local?.close();
    } finally {
      await relay?.close();
      await settings.store.close();
    }
  }

  return {
    ...inspectMethods(engine),
    ...revokeMethods(engine),
    ...batchMethods(engine),
    create: (options) => createOutside(engine, options),
    export: (to, options) => exportSnapshot(engine, to, options),
    import: (from, options) => importSnapshot(engine, from, options),
    describePolicy: () => describePolicy(settings),
    fromUpgrade: (request, options) => sessionOfUpgrade(pipeline, request, options),
    watch: (handle, onEnded, options) => watches.add(handle, onEnded, options),
    async ready() {
      await settings.store.open?.();
      if (local) relay?.listen();
      await advise(engine);
    },
    on: (name: keyof SessionEvents | "*", listener: (event: never) => void) => {
      if (name === "*" || crosses(name)) relay?.listen();
      return events.on(name, listener as Parameters<typeof events.on>[1]);
    },
    flush: () => settings.store.flush(),
    close: () => (closing ??= close()),
  };
}

/** Warns of what the store has to say about its server. */
async function advise({ settings: { store, warnOnce } }: Engine): Promise<void> {
  for (const { topic, message } of (await store.advise?.()) ?? []) {
    warnOnce(`store-${topic}`, `${store.name} store: ${message}`);
  }
}
