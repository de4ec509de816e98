/** What `sessions.export` and `sessions.import` take and answer. */
import type { UnixMs } from "../clock.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { SecretBytes } from "../keys/key.ts";
import type { Handle } from "../store/contract.ts";

/** Where a snapshot goes: any Node or Web stream that takes bytes. It is ended when the snapshot is complete. */
export type SnapshotTarget = NodeJS.WritableStream | WritableStream<Uint8Array>;

/** Where a snapshot comes from: a Node or Web stream, or any other sequence of bytes or text. */
export type SnapshotSource = AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array>;

/** A record of a snapshot as filters see it. */
export interface SnapshotRecord {
  readonly kind: string;
  readonly handle: Handle;
  readonly principal: string | null;
  readonly createdAt: UnixMs;
  readonly lastSeenAt: UnixMs;
  readonly expiresAt: UnixMs;
  readonly absoluteExpiresAt: UnixMs;
}

/** What both ways have in common. */
interface SnapshotOptions {
  /**
   * Kinds of records; default: this manager's sessions. Of a kind whose records are used once (`consume`), one
   * that was used after the export comes back.
   */
  readonly kinds?: readonly string[];
  /** Newest first; default: the keys of the option `secret`. */
  readonly keys?: KeyRing | SecretBytes | readonly [SecretBytes, ...SecretBytes[]];
  /** Records for which it is false are left out. */
  readonly filter?: (record: SnapshotRecord) => boolean;
  /** Stops it; what was imported until then stays. */
  readonly signal?: AbortSignal;
  /** Told after each batch. */
  readonly onProgress?: (progress: SnapshotProgress) => void;
}

/** How far it is. */
export interface SnapshotProgress {
  readonly records: number;
  readonly bytes: number;
}

/** Options of {@link Sessions.export}. */
export interface ExportOptions extends SnapshotOptions {
  /** Default true. False: whoever has the snapshot can read and alter it. */
  readonly encrypt?: boolean;
  /** Deflates what is encrypted; default false. */
  readonly compress?: boolean;
  /** Last used first. Needs memory for one line of every record's index: about 100 bytes each. */
  readonly newestFirst?: boolean;
  /** The most records; with `newestFirst`, those used last. */
  readonly limit?: number;
}

/** What was exported. */
export interface ExportResult {
  /** Id of the snapshot. */
  readonly snapshot: string;
  readonly exported: number;
  /** `expired`: died while the export ran. */
  readonly skipped: { readonly expired: number; readonly filtered: number; readonly limit: number };
  readonly bytes: number;
  readonly tookMs: number;
}

/** Options of {@link Sessions.import}. */
export interface ImportOptions extends SnapshotOptions {
  /** Takes a snapshot that was not encrypted, so that anybody may have written it; default false. */
  readonly acceptPlain?: boolean;
  /** The most records to restore: those used last. */
  readonly limit?: number;
  /** Records between two turns of the event loop, and commands to the store at once; default 500. */
  readonly batchSize?: number;
  /** Looks at a session's data: a text says why it is not to be restored. */
  readonly validate?: (
    data: Readonly<Record<string, unknown>>,
    record: SnapshotRecord,
  ) => string | null;
}

/** A record that was not restored because something is wrong with it. */
export interface FailedRecord {
  /** Position in the snapshot, from 1. */
  readonly position: number;
  readonly handle: Handle | null;
  readonly reason: string;
}

/** What was imported. `restored` and all of `skipped` add up to `records`. */
export interface ImportResult {
  /** Id of the snapshot. */
  readonly snapshot: string;
  /** When it was made. */
  readonly createdAt: UnixMs;
  /** Records that it holds. */
  readonly records: number;
  readonly restored: number;
  readonly skipped: {
    /** Dead by its own deadlines. */
    readonly expired: number;
    /** Alive in the store already, or twice in the snapshot. */
    readonly duplicate: number;
    /** Not a valid record, or refused by `validate`; see `failed`. */
    readonly invalid: number;
    /** Beyond `limit`, or beyond what its principal may have at once. */
    readonly limit: number;
    /** Ended in the store: by itself, with all of its principal, or with everyone's. */
    readonly revoked: number;
    readonly filtered: number;
  };
  /** The invalid ones, up to 100. */
  readonly failed: readonly FailedRecord[];
  readonly tookMs: number;
}
