/** What probes are told: whether to send requests here, and how things are. */
import type { Health, Sessions } from "../manager/types.ts";
import { type Stage, stageOf } from "./stage.ts";

/** For a readiness probe. 503: send no requests here. */
export interface ReadinessAnswer {
  readonly status: 200 | 503;
  readonly body: { readonly ready: boolean; readonly stage: Stage; readonly store: Health };
}

/** For people and dashboards. `sessions` is null where they could not be counted. */
export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: ReadinessAnswer["body"] & {
    readonly sessions: { readonly active: number; readonly principals: number } | null;
  };
}

/**
 * 200 while it serves and the store answers a read; 503 while a snapshot is being restored, from the
 * beginning of a shutdown on, and when the store is down. One read of the store; never rejects.
 */
export async function readiness(sessions: Sessions): Promise<ReadinessAnswer> {
  const store = await sessions.health();
  const stage = stageOf(sessions);
  const ready = stage === "serving" && store.status === "up";
  return { status: ready ? 200 : 503, body: { ready, stage, store } };
}

/**
 * {@link readiness}, and how many sessions and principals there are; makes no session. Counting may
 * cost the store more than a probe should. Never rejects.
 */
export async function healthAnswer(sessions: Sessions): Promise<HealthAnswer> {
  const [{ status, body }, counts] = await Promise.all([
    readiness(sessions),
    sessions.count().catch(() => null),
  ]);
  if (counts === null) return { status: 503, body: { ...body, sessions: null } };
  const { active, principals } = counts;
  return { status, body: { ...body, sessions: { active, principals } } };
}
