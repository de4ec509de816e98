/** Rotation: a new token for the same session, by wish or because its privileges changed. */
import { SojournError } from "../errors.ts";
import type { SessionEvents } from "../events.ts";
import { clientFacts } from "../policy/client.ts";
import type { Facts } from "../session/payload.ts";
import type { SessionState } from "../session/state.ts";
import type { ElevateOptions, ReauthenticateOptions } from "../session/types.ts";
import type { StoredRecord } from "../store/contract.ts";
import { draftRotation, takeOver } from "./create.ts";
import { versionDigest } from "./fresh.ts";
import { principalOf } from "../policy/principal.ts";
import {
  adopt,
  dropChanges,
  endingNow,
  type Engine,
  privilegesOf,
  requireLoggedIn,
  sessionEnded,
  timeoutsOf,
} from "./engine.ts";
import { conflict } from "./write.ts";

/** Why a token is replaced. Only a plain `rotate` leaves the old one its grace time. */
export type RotationCause = SessionEvents["rotated"]["cause"];

/** `session.rotate`. A session that is not stored yet gets its first token when it is. */
export async function rotate(engine: Engine, state: SessionState): Promise<void> {
  if (state.phase === "fresh") return;
  await rotateRecord(engine, state, "rotate", {});
}

/** `session.elevate`. @throws SOJOURN_NOT_LOGGED_IN, SOJOURN_LEVEL_INVALID */
export async function elevate(
  engine: Engine,
  state: SessionState,
  options: ElevateOptions,
): Promise<void> {
  requireLoggedIn(state, "elevate");
  const level = options.level ?? state.facts.level + 1;
  if (!Number.isSafeInteger(level) || level < state.facts.level) {
    throw new SojournError(
      "SOJOURN_LEVEL_INVALID",
      `elevate() cannot lower the level or set it to a fraction: it is ${state.facts.level}`,
    );
  }
  await rotateRecord(engine, state, "elevate", {
    authenticatedAt: engine.settings.clock.now(),
    level,
  });
  const { record } = state;
  if (record)
    engine.events.emit("elevated", {
      client: state.exchange.sender,
      handle: record.handle,
      principal: principalOf(record),
      level,
    });
}

/** `session.reauthenticate`: both timeouts begin anew (NIST SP 800-63B-4 5.2). */
export async function reauthenticate(
  engine: Engine,
  state: SessionState,
  { authVersion }: ReauthenticateOptions,
): Promise<void> {
  requireLoggedIn(state, "reauthenticate");
  await rotateRecord(engine, state, "reauthenticate", {
    ...clientFacts(state.exchange.newClient()),
    authenticatedAt: engine.settings.clock.now(),
    ...(authVersion === undefined ? {} : { authVersion: versionDigest(authVersion) }),
  });
}

/**
 * Replaces the token, writing this request's changes along. @throws SOJOURN_SESSION_ENDED, SOJOURN_UPDATE_CONFLICT
 */
export async function rotateRecord(
  engine: Engine,
  state: SessionState,
  cause: RotationCause,
  news: Partial<Facts>,
): Promise<void> {
  const giveUpAt = performance.now() + engine.store.deadlineMs;
  for (let attempt = 1; ; attempt++) {
    const { record } = state;
    if (state.phase === "ended" || !record) throw sessionEnded(state.ending);
    // Another request of this browser rotated a moment ago: one new token is enough.
    if (cause === "rotate" && state.graced) return;
    if (await replaceToken(engine, state, record, { cause, news })) return;
    if (performance.now() > giveUpAt) throw conflict(attempt);
  }
}

async function replaceToken(
  engine: Engine,
  state: SessionState,
  record: StoredRecord,
  { cause, news }: { cause: RotationCause; news: Partial<Facts> },
): Promise<boolean> {
  const { clock, graceMs } = engine.settings;
  const privileges = privilegesOf(engine, () => state.data.peek(), principalOf(record));
  const facts: Facts = {
    ...state.facts,
    ...news,
    ...(privileges === undefined ? {} : { privileges }),
  };
  const renewed = clock.now() + timeoutsOf(engine, facts).absolute;
  const draft = draftRotation(engine, record, {
    facts,
    dataText: state.data.text(),
    absoluteExpiresAt: cause === "reauthenticate" ? renewed : record.absoluteExpiresAt,
  });
  const result = await engine.store.call("replace", (to) =>
    to.replace({ kind: record.kind, key: record.key }, draft.record, {
      expectedVersion: record.version,
      ending: endingNow(engine, "rotated"),
      graceMs: cause === "rotate" ? graceMs : 0,
    }),
  );
  switch (result.status) {
    case "replaced":
      takeOver(state, draft);
      engine.events.emit("rotated", {
        client: state.exchange.sender,
        handle: record.handle,
        principal: principalOf(record),
        cause,
      });
      return true;
    case "moved":
      adopt(engine, state, result.record);
      state.graced = true;
      return false;
    case "conflict":
      adopt(engine, state, result.record);
      return false;
    case "gone":
      dropChanges(engine, state, result.tombstone);
      throw sessionEnded(state.ending);
    case "refused":
      throw new SojournError(
        "SOJOURN_STORE_CORRUPT",
        "the store refused a rotation by a limit it was not given",
      );
  }
}
