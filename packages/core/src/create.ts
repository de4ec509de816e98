/** Puts one manager together: settings, guarded store, events, verbs, pipeline. */
import { keepAudit } from "./audit.ts";
import { Events } from "./events.ts";
import type { Engine } from "./lifecycle/engine.ts";
import { createVerbs } from "./lifecycle/verbs.ts";
import { createSessions } from "./manager/sessions.ts";
import type { Sessions } from "./manager/types.ts";
import { feedMetrics, type Metrics } from "./metrics.ts";
import { Relay } from "./nodes/relay.ts";
import { resolveSettings, type Settings } from "./options/settings.ts";
import type { SessionOptions } from "./options/types.ts";
import { LocalCaller, type LocalParts } from "./outage/local.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { PayloadCodec } from "./session/payload.ts";
import { CommitQueue } from "./session/queue.ts";
import { Breaker } from "./store/breaker.ts";
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
  if (settings.metrics) feedMetrics(events, settings.metrics);
  keepAudit(events, settings.audit);
  const guard = guardOf(settings, events);
  const relay = relayOf(settings, events);
  const codec = new PayloadCodec(settings.encryption);
  const local = localOf(settings, { guard, events, codec, relay });
  const store = local ?? guard;
  const queue = new CommitQueue();
  const engine: Engine = { settings, codec, store, guard, local, relay, events, queue };
  const pipeline = createPipeline(engine, createVerbs(engine));
  return { sessions: createSessions(engine, pipeline), pipeline };
}

function guardOf(settings: Settings, events: Events): StoreGuard {
  const { store, storeDeadlineMs, breaker, metrics } = settings;
  return new StoreGuard(store, {
    deadlineMs: storeDeadlineMs,
    breaker: new Breaker(breaker, {
      down: (code) => events.emit("store-down", { code }),
      up: (downMs) => events.emit("store-up", { downMs: Math.round(downMs) }),
    }),
    onFailure: (operation, code) => events.emit("store-failed", { operation, code }),
    onCall: metrics && timing(metrics, settings.warnOnce),
  });
}

function timing(
  metrics: Metrics,
  warnOnce: Settings["warnOnce"],
): (operation: string, seconds: number) => void {
  return (operation, seconds) => {
    try {
      metrics.observe("sojourn_store_seconds", seconds, { operation });
    } catch (error) {
      warnOnce("metrics", `metrics.observe() threw: ${String(error)}`);
    }
  };
}

function localOf(
  { store, onStoreError, staleForMs, namespace }: Settings,
  parts: Pick<LocalParts, "guard" | "events" | "codec" | "relay">,
): LocalCaller | null {
  if (onStoreError !== "local") return null;
  return new LocalCaller({ ...parts, store, namespace, staleForMs });
}

function relayOf(settings: Settings, events: Events): Relay | null {
  const { store, kind: topic, storeDeadlineMs: deadlineMs } = settings;
  const { signals } = store;
  return signals ? new Relay({ signals, topic, events, deadlineMs }) : null;
}
