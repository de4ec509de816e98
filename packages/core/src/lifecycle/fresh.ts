/** Guards that a handler calls: fresh proof, one-time approvals, the version of the credentials. */
import { hash } from "node:crypto";
import { isSojournError, SojournError } from "../errors.ts";
import { parseDuration } from "../options/duration.ts";
import { type Freshness, reauthenticationRequired, staleness } from "../policy/freshness.ts";
import { EMPTY_DATA } from "../session/data.ts";
import type { Approval, SessionState } from "../session/state.ts";
import type { RecordKey, StoredRecord } from "../store/contract.ts";
import { tagOf } from "../token/tag.ts";
import { mintHandle } from "../token/token.ts";
import { type Engine, readAlive, requireLoggedIn } from "./engine.ts";
import { revokePresent } from "./revoke.ts";

/** `session.requireFresh`. @throws SOJOURN_NOT_LOGGED_IN, SOJOURN_REAUTHENTICATION_REQUIRED */
export function requireFresh(engine: Engine, state: SessionState, asked: Freshness): void {
  requireLoggedIn(state, "requireFresh");
  const reason = staleness(state.facts, asked, engine.settings.clock.now());
  if (reason !== null) throw reauthenticationRequired(reason, asked);
}

/** How long an approval is good if nobody says otherwise, in ms. */
const APPROVED_FOR = 120_000;

/**
 * `session.approve`: one use of one action with exactly these parameters (ASVS 7.5.3). Kept in the store as a record of
 * its own, so that of any number of parallel requests one can use it; its payload is the instant until which it counts.
 */
export async function approve(
  engine: Engine,
  state: SessionState,
  { action, params, within }: Approval,
): Promise<void> {
  const session = requireLoggedIn(state, "approve");
  const { clock } = engine.settings;
  const now = clock.now();
  const ms = within === undefined ? APPROVED_FOR : parseDuration(within);
  if (typeof ms !== "number" || ms <= 0)
    throw new SojournError("SOJOURN_OPTIONS_INVALID", "approve(): within must be a duration");
  const ref = approvalRef(engine, session, action, params);
  const { absoluteExpiresAt } = session;
  const record: StoredRecord = {
    ...ref,
    handle: mintHandle(tagOf(session.handle)),
    owner: null,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: absoluteExpiresAt,
    absoluteExpiresAt,
    payload: String(now + ms),
  };
  await engine.store.call("consume", (store) => store.consume(ref));
  await engine.store.call("create", (store) => store.create(record)).catch(ignoreTaken);
}

/** A parallel request approved the same a moment ago. */
function ignoreTaken(error: unknown): void {
  if (!isSojournError(error) || error.code !== "SOJOURN_RECORD_EXISTS") throw error;
}

/** `session.useApproval`: true for exactly one caller. @throws SOJOURN_SESSION_ENDED */
export async function useApproval(
  engine: Engine,
  state: SessionState,
  { action, params }: Omit<Approval, "within">,
): Promise<boolean> {
  const session = requireLoggedIn(state, "useApproval");
  await readAlive(engine, state, session);
  const ref = approvalRef(engine, session, action, params);
  const approval = await engine.store.call("consume", (store) => store.consume(ref));
  return approval !== null && engine.settings.clock.now() < Number(approval.payload);
}

function approvalRef(
  { settings: { kind } }: Engine,
  { handle }: StoredRecord,
  action: string,
  params: unknown,
): { kind: string; key: RecordKey } {
  const text = JSON.stringify([handle, action, canonical(params)]);
  const key = `${tagOf(handle)}.${hash("sha256", text, "base64url")}` as RecordKey;
  return { kind: approvalKind(kind), key };
}

/** The kind of the approvals beside the sessions of a kind. */
function approvalKind(kind: string): string {
  return `approval:${kind}`;
}

/** The same value for objects that differ only in the order of their keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value).map(([key, each]) => [key, canonical(each)] as const);
  return { entries: entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

/** The version of somebody's credentials as it is kept. */
export function versionDigest(version: string): string {
  return hash("sha256", `sojourn credentials ${version}`, "base64url").slice(0, 22);
}

/**
 * `session.verifyAuthVersion`: ends the session if the credentials are others than at its login (CVE-2021-41268); so a
 * change of password logs out everywhere without an index.
 */
export async function verifyAuthVersion(
  engine: Engine,
  state: SessionState,
  version: string,
): Promise<boolean> {
  const record = requireLoggedIn(state, "verifyAuthVersion");
  if (state.facts.authVersion === versionDigest(version)) return true;
  const { exchange } = state;
  const tombstone = await revokePresent(engine, exchange, {
    record,
    reason: "credentials changed",
  });
  state.reset();
  state.data.load(EMPTY_DATA);
  state.tell(tombstone);
  exchange.discardToken();
  return false;
}
