/** Puts one manager together: settings, guarded store, events, verbs, pipeline. */
import { Events } from "./events.ts";
import type { Engine } from "./lifecycle/engine.ts";
import { createVerbs } from "./lifecycle/verbs.ts";
import { createSessions } from "./manager/sessions.ts";
import type { Sessions } from "./manager/types.ts";
import { resolveSettings } from "./options/settings.ts";
import type { SessionOptions } from "./options/types.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { CommitQueue } from "./session/queue.ts";
import { StoreGuard } from "./store/guard.ts";

/** What {@link createSessionManager} gives. */
export interface SessionManager {
  /** For applications: list, revoke, explain … */
  readonly sessions: Sessions;
  /** For adapters: begin and commit. */
  readonly pipeline: Pipeline;
}

/**
 * Makes a session manager. Adapters call it once; it opens nothing until the first use or
 * `sessions.ready()`. @throws SOJOURN_OPTIONS_INVALID listing every problem
 */
export function createSessionManager(options: SessionOptions = {}): SessionManager {
  const settings = resolveSettings(options);
  const events = new Events(settings.clock, settings.logger);
  const store = new StoreGuard(settings.store, settings.storeDeadlineMs, (operation, code) => {
    events.emit("store-failed", { operation, code });
  });
  const engine: Engine = { settings, store, events, queue: new CommitQueue() };
  return {
    sessions: createSessions(engine),
    pipeline: createPipeline(engine, createVerbs(engine)),
  };
}
