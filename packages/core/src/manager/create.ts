/** Creates a logged-in session outside a request. */
import { serializeCookie } from "../cookie/serialize.ts";
import { draftSession, store } from "../lifecycle/create.ts";
import { checkedText, type Engine, privilegesOf } from "../lifecycle/engine.ts";
import { admissionFor, loginFacts } from "../lifecycle/login.ts";
import { principalName } from "../policy/principal.ts";
import { parseValues } from "../session/data.ts";
import { sealToken } from "../token/cookie-value.ts";
import { deadlineSeconds } from "../cookie/spec.ts";
import { sessionInfo } from "./info.ts";
import type { CreatedSession, CreateOptions } from "./types.ts";

/** `sessions.create`. @throws SOJOURN_LIMIT_REACHED, SOJOURN_DATA_UNSERIALISABLE, SOJOURN_DATA_INVALID */
export async function createOutside(
  engine: Engine,
  options: CreateOptions,
): Promise<CreatedSession> {
  const principal = principalName(options.principal);
  const dataText = checkedText(engine, options.data ?? {});
  const privileges = privilegesOf(engine, parseValues(dataText), principal);
  const { ip, userAgent } = options.client ?? {};
  const facts = {
    ...loginFacts(engine, options),
    ...(ip === undefined ? {} : { ip }),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(privileges === undefined ? {} : { privileges }),
  };
  const draft = draftSession(engine, { principal, facts, dataText });
  await store(engine, draft, await admissionFor(engine, principal, options));
  const { handle } = draft.record;
  engine.events.emit("created", { handle, principal });
  engine.events.emit("login", { handle, principal, previous: null });
  const { keys, cookies, clock } = engine.settings;
  const spec = options.secureRequest ? cookies.secure : (cookies.plain ?? cookies.secure);
  const maxAge = cookies.persistent
    ? { maxAge: deadlineSeconds(draft.record.expiresAt, clock.now()) }
    : {};
  const value = sealToken(keys, spec.name, draft.token);
  return {
    session: sessionInfo(draft.record),
    setCookie: serializeCookie(spec.name, value, { ...spec.attributes, ...maxAge }),
  };
}
