/** What the processes, the browsers and the report of a run tell each other. */
import type { EndingReason, OnLimit } from "@sojourn/core";

/** Where a process finds its server. */
export interface Place {
  /** `url`: the store makes the client or the pool; else the process does, `client` for one server. */
  readonly layout: "url" | "client" | "sentinel" | "cluster";
  /** Of Redis. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly url: string;
}

/** What the application answers about the session of a request. */
export interface Answer {
  readonly handle: string | null;
  readonly principal: string | null;
  readonly n: number;
  readonly ending: EndingReason | null;
}

/** A user whose sessions are limited to {@link LIMIT}, or not at all. */
export interface User {
  readonly name: string;
  readonly onLimit: OnLimit | null;
}

/** Sessions that a user may have, of those who have a limit. */
export const LIMIT = 3;
/** Processes of the application. */
export const PROCESSES = 4;
/** The store's deadline of one call, in ms: the default. */
export const DEADLINE = 2_000;

/** What a run of one fault came to. */
export interface Report {
  readonly fault: string;
  /** How long requests were sent, in s. */
  readonly seconds: number;
  readonly answered: number;
  /** Requests that had no answer within {@link DEADLINE} and a margin. */
  readonly unanswered: number;
  /** How often each status and code was answered that is no success. */
  readonly errors: Readonly<Record<string, number>>;
  /** Errors of the store by the number of the process that answered. */
  readonly storeErrors: readonly number[];
  readonly longestMs: number;
  readonly lost: Losses;
  /** Sessions found alive after their logout or revocation was acknowledged. */
  readonly undead: Losses;
  /** Found beyond the limit: lists that were too long, and cookies that were alive at once. */
  readonly beyondLimit: number;
  /** Alive sessions of a user that a list did not have, at the end. */
  readonly unlisted: number;
  /** What the check is made of: none of these may be 0. */
  readonly checked: Checked;
  /** Whether the load went on for a while at the end without errors of the store. */
  readonly recoveredInTime: boolean;
  /**
   * From the fault until every process answered without errors of the store again; null: there were
   * none.
   */
  readonly recoveredMs: number | null;
  /** As `recoveredMs`, from when the cause was gone; 0: it had recovered before. */
  readonly healedMs: number | null;
  /** Errors of the store in the check after the load. */
  readonly errorsAtEnd: number;
}

/** Acknowledged and not there any more. */
export interface Losses {
  /** What the server itself lost: a write of the driver's own, made after it on the same server, is gone too. */
  readonly server: number;
  readonly ours: number;
  /** What exactly, of ours, for whoever looks for the cause; no secrets. */
  readonly examples: readonly string[];
}

/** How much was looked at. */
export interface Checked {
  readonly commits: number;
  readonly endings: number;
  readonly reuses: number;
  readonly logins: number;
  readonly refusals: number;
  readonly lists: number;
}
