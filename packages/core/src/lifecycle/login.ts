/** Login: a new session for a principal in place of the one that the request came with. */
import { parseDuration } from "../options/duration.ts";
import { SojournError } from "../errors.ts";
import { resolveAdmission } from "../policy/admission.ts";
import { principalName, principalOf } from "../policy/principal.ts";
import { applyChanges, EMPTY_DATA, NO_CHANGES } from "../session/data.ts";
import type { ClientFacts } from "../request/facts.ts";
import type { Facts } from "../session/payload.ts";
import type { SessionState } from "../session/state.ts";
import type { LoginOptions } from "../session/types.ts";
import type { Admission, EndingReason, Handle, StoredRecord } from "../store/contract.ts";
import { type Draft, draftSession, newFacts, refuse, store, takeBack, takeOver } from "./create.ts";
import { versionDigest } from "./fresh.ts";
import { adopt, dropChanges, emitEvicted, endingNow, type Engine } from "./engine.ts";
import { conflict } from "./write.ts";

/** `session.login`; see the docs of SessionMethods. */
export async function login(
  engine: Engine,
  state: SessionState,
  principal: string | number,
  options: LoginOptions,
): Promise<void> {
  if (engine.settings.principal) {
    throw new SojournError(
      "SOJOURN_ADAPTER_MISUSE",
      "login() cannot be used together with the option principal, which takes the principal from the data: write the data instead",
    );
  }
  const name = principalName(principal);
  const facts = loginFacts(engine, options);
  const admission = await admissionFor(engine, name, options);
  const previous = state.record?.handle ?? null;
  await becomeSession(engine, state, { principal: name, facts, admission, endOld: "rotated" });
  if (state.record) emitLogin(engine, state.record, previous, state.exchange.sender);
}

/** The limit for a login: its own options before the application's. */
export function admissionFor(
  engine: Engine,
  principal: string,
  options: LoginOptions,
): Promise<Admission | undefined> {
  const { max, onLimit } = engine.settings;
  return resolveAdmission(principal, options.max ?? max, options.onLimit ?? onLimit);
}

/** The facts that a login begins with. @throws SOJOURN_OPTIONS_INVALID, SOJOURN_LEVEL_INVALID */
export function loginFacts(engine: Engine, options: LoginOptions): Facts {
  const level = options.level ?? 1;
  if (!Number.isSafeInteger(level) || level < 1) {
    throw new SojournError(
      "SOJOURN_LEVEL_INVALID",
      "the level of a login must be a whole number from 1 on",
    );
  }
  return {
    authenticatedAt: engine.settings.clock.now(),
    level,
    ...(options.authVersion === undefined
      ? {}
      : { authVersion: versionDigest(options.authVersion) }),
    ...(options.idle === undefined
      ? {}
      : { idle: options.idle === null ? null : duration("idle", options.idle) }),
    ...(options.absolute === undefined ? {} : { absolute: duration("absolute", options.absolute) }),
  };
}

function duration(option: string, value: number | string): number {
  const ms = parseDuration(value);
  if (typeof ms === "number" && ms > 0) return ms;
  const problem = typeof ms === "number" ? "must be longer than 0" : ms.problem;
  throw new SojournError("SOJOURN_OPTIONS_INVALID", `login option ${option} ${problem}`);
}

/** What {@link becomeSession} makes. */
export interface Becoming {
  readonly principal: string | null;
  readonly facts: Facts;
  readonly admission: Admission | undefined;
  /** How the old session ends. */
  readonly endOld: EndingReason;
  /** Keep the data although the principal changes: the data is what tells who it is. */
  readonly keepData?: boolean;
}

/**
 * Puts a new session (new token, new handle) in place of the one that the request has, in one
 * store operation. Another principal's data does not come along; an anonymous visitor's does.
 * @throws SOJOURN_LIMIT_REACHED, SOJOURN_UPDATE_CONFLICT
 */
export async function becomeSession(
  engine: Engine,
  state: SessionState,
  becoming: Becoming,
): Promise<void> {
  if (state.phase === "ended") {
    // What the ended session held must not reach into its successor.
    if (state.record) state.data.load(EMPTY_DATA);
    state.reset();
  }
  const giveUpAt = performance.now() + engine.store.deadlineMs;
  for (let attempt = 1; ; attempt++) {
    const sent = state.data.text();
    const draft = draftSession(engine, {
      principal: becoming.principal,
      facts: newFacts(engine, {
        ...becoming,
        data: () => state.data.peek(),
        client: state.exchange.newClient(),
      }),
      dataText: carriedData(state, becoming),
    });
    if (!state.record) {
      await store(engine, draft, becoming.admission);
      return takeOver(state, draft, sent);
    }
    if (await replaceOld(engine, state, draft, becoming)) return takeOver(state, draft, sent);
    if (performance.now() > giveUpAt) throw conflict(attempt);
  }
}

function carriedData(state: SessionState, { principal, keepData }: Becoming): string {
  const before = state.record ? principalOf(state.record) : null;
  const isOtherPrincipal = before !== null && before !== principal;
  if (!isOtherPrincipal || keepData) return state.data.text();
  return applyChanges(EMPTY_DATA, state.data.changes() ?? NO_CHANGES);
}

/** True when done; false when the old session changed or ended meanwhile and it is worth another try. */
async function replaceOld(
  engine: Engine,
  state: SessionState,
  draft: Draft,
  becoming: Becoming,
): Promise<boolean> {
  const { record } = state;
  if (!record) return false;
  const ref = { kind: record.kind, key: record.key };
  const how = {
    expectedVersion: record.version,
    ending: endingNow(engine, becoming.endOld),
    ...(becoming.admission ? { admission: becoming.admission } : {}),
  };
  const result = await engine.store.call("replace", (to) => to.replace(ref, draft.record, how), {
    undo: (to) => takeBack(engine, draft, to),
  });
  switch (result.status) {
    case "replaced":
      emitEvicted(engine, result.evicted);
      return true;
    case "refused":
      return refuse(engine, draft, becoming.admission, result.active);
    case "conflict":
    case "moved":
      adopt(engine, state, result.record);
      return false;
    case "gone": {
      // A parallel login of the same visitor may have replaced the anonymous session: its data was
      // this visitor's own. Whatever else ended it, the data must not live on.
      const isOwnCopy = record.owner === null && result.tombstone?.ending.why === "rotated";
      if (!isOwnCopy) {
        dropChanges(engine, state, result.tombstone);
        state.data.load(EMPTY_DATA);
      }
      state.reset();
      return false;
    }
  }
}

/** Tells of a login. */
export function emitLogin(
  engine: Engine,
  { handle, owner }: StoredRecord,
  previous: Handle | null,
  client: ClientFacts,
): void {
  const principal = principalOf({ owner });
  engine.events.emit("created", { handle, principal });
  engine.events.emit("login", { handle, principal, previous, client });
}
