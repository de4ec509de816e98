/** Makes records: for a login, for the first write of an anonymous session, for a rotation. */
import { clientFacts } from "../policy/client.ts";
import { deadline } from "../policy/expiry.ts";
import type { Facts } from "../session/payload.ts";
import type { Values } from "../session/data.ts";
import type { ClientFacts } from "../request/facts.ts";
import type { SessionState } from "../session/state.ts";
import type { Admission, Store, StoredRecord } from "../store/contract.ts";
import { ownerKey, randomTag, TAG_LENGTH, tagOf } from "../token/tag.ts";
import { digestToken, mintHandle, mintToken, type Token } from "../token/token.ts";
import { SojournError } from "../errors.ts";
import { principalOf } from "../policy/principal.ts";
import { emitEvicted, endingNow, type Engine, privilegesOf, timeoutsOf } from "./engine.ts";

/** A record that is not in the store yet, and the token that will open it. */
export interface Draft {
  readonly record: StoredRecord;
  readonly token: Token;
  readonly facts: Facts;
  readonly dataText: string;
}

/** What a draft is made of. */
export interface DraftParts {
  readonly principal: string | null;
  readonly facts: Facts;
  readonly dataText: string;
  /** The token to use, where one was made already. */
  readonly reserved?: Token | null;
}

/** A draft of a new session: new token, new handle, both timeouts from now. */
export function draftSession(
  engine: Engine,
  { principal, facts, dataText, reserved = null }: DraftParts,
): Draft {
  const { clock, kind, namespace, generateSecret } = engine.settings;
  const now = clock.now();
  const owner = principal === null ? null : ownerKey(namespace, principal);
  const tag = owner === null ? (reserved?.slice(0, TAG_LENGTH) ?? randomTag()) : tagOf(owner);
  const token = reserved ?? mintToken(tag, generateSecret);
  const timeouts = timeoutsOf(engine, facts);
  const absoluteExpiresAt = now + timeouts.absolute;
  const handle = mintHandle(tag);
  const record: StoredRecord = {
    kind,
    key: digestToken(token),
    handle,
    owner,
    version: 1,
    createdAt: now,
    seenAt: now,
    expiresAt: deadline(timeouts, now, absoluteExpiresAt),
    absoluteExpiresAt,
    payload: engine.codec.encode({ kind, handle, owner }, facts, dataText),
  };
  return { record, token, facts, dataText };
}

/** A draft that continues a record under a new token. `absoluteExpiresAt` as given. */
export function draftRotation(
  engine: Engine,
  from: StoredRecord,
  parts: { facts: Facts; dataText: string; absoluteExpiresAt: number },
): Draft {
  const now = engine.settings.clock.now();
  const token = mintToken(tagOf(from.key), engine.settings.generateSecret);
  const record: StoredRecord = {
    ...from,
    key: digestToken(token),
    version: from.version + 1,
    seenAt: now,
    expiresAt: deadline(timeoutsOf(engine, parts.facts), now, parts.absoluteExpiresAt),
    absoluteExpiresAt: parts.absoluteExpiresAt,
    payload: engine.codec.encode(from, parts.facts, parts.dataText),
  };
  return { record, token, facts: parts.facts, dataText: parts.dataText };
}

/** What a session begins with beside its data. */
export interface Beginning {
  readonly facts: Facts;
  readonly principal: string | null;
  readonly data: () => Readonly<Values>;
  readonly client: ClientFacts;
}

/** The facts of a new session: those given, who began it, and a digest of what it may do. */
export function newFacts(engine: Engine, { facts, principal, data, client }: Beginning): Facts {
  const privileges = privilegesOf(engine, data, principal);
  return {
    ...facts,
    ...clientFacts(client),
    ...(privileges === undefined ? {} : { privileges }),
  };
}

/** Puts a draft into the store as a session of its own. @throws SOJOURN_LIMIT_REACHED */
export async function store(
  engine: Engine,
  draft: Draft,
  admission: Admission | undefined,
): Promise<void> {
  const admitted = await engine.store.call("create", (to) => to.create(draft.record, admission), {
    undo: (to) => takeBack(engine, draft, to),
  });
  if (admitted.status === "refused") refuse(engine, draft, admission, admitted.active);
  emitEvicted(engine, admitted.evicted);
}

/** Ends a session that the store made after the deadline: nobody got its token. */
export function takeBack(engine: Engine, { record }: Draft, to: Store): Promise<unknown> {
  return to.end(record, endingNow(engine, "revoked", { reason: "came too late" }));
}

/** Tells of a login that the limit refused. @throws SOJOURN_LIMIT_REACHED always */
export function refuse(
  engine: Engine,
  draft: Draft,
  admission: Admission | undefined,
  active: number,
): never {
  const max = admission?.max ?? 0;
  const { ip, userAgent } = draft.facts;
  engine.events.emit("denied", {
    principal: principalOf(draft.record) ?? "",
    active,
    max,
    client: { ip, userAgent },
  });
  throw new SojournError(
    "SOJOURN_LIMIT_REACHED",
    `this user has ${active} of at most ${max} sessions and onLimit is 'reject': let the user end another session first`,
    { details: { active, max } },
  );
}

/**
 * The request goes on with the session of the draft, which the store now has. `sent`: the request's
 * data when the draft was made, where the draft does not hold all of it.
 */
export function takeOver(state: SessionState, draft: Draft, sent: string = draft.dataText): void {
  state.live(draft.record, draft.facts);
  state.graced = false;
  state.reserved = null;
  state.data.written(draft.dataText, sent);
  state.exchange.mint(draft.token);
}
