/** The life of a server with sessions: start, probes, snapshot files, graceful end. */
export { exportEndpoint } from "./export-endpoint.ts";
export type {
  ExportAnswer,
  ExportEndpoint,
  ExportEndpointOptions,
  ExportRequest,
} from "./export-endpoint.ts";
export { gracefulShutdown } from "./graceful-shutdown.ts";
export type { GracefulShutdown } from "./graceful-shutdown.ts";
export type { ShutdownOptions, ShutdownTarget } from "./shutdown-options.ts";
export { healthAnswer, readiness } from "./health.ts";
export type { HealthAnswer, ReadinessAnswer } from "./health.ts";
export { snapshotFile } from "./snapshot-file.ts";
export type {
  RestoreOutcome,
  SaveSnapshot,
  SnapshotFile,
  SnapshotFileOptions,
} from "./snapshot-file.ts";
export type { ShutdownFailure, ShutdownReport } from "./shutdown-run.ts";
export type { CutConnection, OpenConnection } from "./under-way.ts";
export type { Stage } from "./stage.ts";
