/** The manager: sessions seen from outside a request. */
import type { Engine } from "../lifecycle/engine.ts";
import { batchMethods } from "./batch.ts";
import { createOutside } from "./create.ts";
import { inspectMethods } from "./inspect.ts";
import { revokeMethods } from "./revoke.ts";
import type { Sessions } from "./types.ts";

/** Implements {@link Sessions}. */
export function createSessions(engine: Engine): Sessions {
  const { events, queue, settings } = engine;
  let closing: Promise<void> | undefined;
  return {
    ...inspectMethods(engine),
    ...revokeMethods(engine),
    ...batchMethods(engine),
    create: (options) => createOutside(engine, options),
    async ready() {
      await settings.store.open?.();
    },
    on: (name: Parameters<typeof events.on>[0], listener: (event: never) => void) =>
      events.on(name, listener as Parameters<typeof events.on>[1]),
    flush: () => settings.store.flush(),
    close: () => (closing ??= queue.idle().then(() => settings.store.close())),
  };
}
