/** Where in its life the server of a manager is: what a probe must know besides the store. */
import type { Sessions } from "../manager/types.ts";

/** `restoring`: a snapshot is being read; `stopping`: {@link gracefulShutdown} has begun. */
export type Stage = "serving" | "restoring" | "stopping";

const stages = new WeakMap<Sessions, Stage>();

/** The stage of a manager; `serving` until something else is said. */
export function stageOf(sessions: Sessions): Stage {
  return stages.get(sessions) ?? "serving";
}

/** Says where it is now. Whoever stops does not serve again. */
export function enterStage(sessions: Sessions, stage: Stage): void {
  if (stageOf(sessions) !== "stopping") stages.set(sessions, stage);
}
