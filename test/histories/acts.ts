/** The words of the histories: what is done, what is answered, what is stored. */
import type { Deed, Limit } from "./steps.ts";

/** The timeouts of the histories, in ms. */
export const TIMES = { idle: 1_800_000, absolute: 7_200_000, grace: 10_000 } as const;
/** Those of a session that asked for shorter ones. */
export const SHORT = { idle: 300_000, absolute: 1_200_000 } as const;

/** Data by key. */
export type Data = Record<string, unknown>;

/** What a handler sees of its session. */
export interface View {
  readonly handle: string | null;
  readonly principal: string | null;
  readonly level: number;
  readonly data: Data;
}

/** What a step answered. Absent: nothing of the kind. */
export interface Answer {
  readonly error?: string;
  readonly value?: number | boolean | null;
  readonly view?: View;
  /** Why the session that the browser came with is no more. */
  readonly ending?: string | null;
  /** What the browser got: a cookie, `clear`, or nothing. */
  readonly cookie?: string | null;
}

/** An answer of the real thing; what it was free to choose, the model takes over from it. */
export interface Seen extends Answer {
  /** Handles of the principal's sessions after a login: decides between two of the same instant. */
  readonly left?: readonly string[];
}

/** A step whose subjects are chosen. */
export type Act =
  | { readonly act: "begin"; readonly request: number; readonly cookie: string | null }
  | { readonly act: "deed"; readonly request: number; readonly deed: Deed; readonly value: number }
  | { readonly act: "create"; readonly who: string; readonly limit: Limit | null }
  | { readonly act: "revoke"; readonly handle: string }
  | { readonly act: "revokeAll"; readonly who: string; readonly except: string | null }
  | { readonly act: "revokeEveryone" };

/** A stored session as the manager shows it. */
export interface Stored extends View {
  readonly handle: string;
  readonly createdAt: number;
  readonly authenticatedAt: number | null;
  readonly seenAt: number;
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number;
}
