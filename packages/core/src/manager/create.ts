/** Creates a logged-in session outside a request. */
import { serializeCookie } from "../cookie/serialize.ts";
import { draftSession, newFacts, store } from "../lifecycle/create.ts";
import { checkedText, type Engine } from "../lifecycle/engine.ts";
import { admissionFor, emitLogin, loginFacts } from "../lifecycle/login.ts";
import { principalName } from "../policy/principal.ts";
import { cookieMaking, tokenCookie } from "../response/decide.ts";
import { parseValues } from "../session/data.ts";
import { sessionInfo } from "./info.ts";
import type { CreatedSession, CreateOptions } from "./types.ts";

/** `sessions.create`. @throws SOJOURN_LIMIT_REACHED, SOJOURN_DATA_UNSERIALISABLE, SOJOURN_DATA_INVALID */
export async function createOutside(
  engine: Engine,
  options: CreateOptions,
): Promise<CreatedSession> {
  const principal = principalName(options.principal);
  const dataText = checkedText(engine, options.data ?? {});
  const facts = newFacts(engine, {
    facts: loginFacts(engine, options),
    principal,
    data: () => parseValues(dataText),
    client: options.client ?? {},
  });
  const draft = draftSession(engine, { principal, facts, dataText });
  const { record, token } = draft;
  await store(engine, draft, await admissionFor(engine, principal, options));
  emitLogin(engine, record, null, options.client ?? {});
  const making = cookieMaking(engine.settings, options.secureRequest ?? false);
  const { name, value, attributes } = tokenCookie(token, record.expiresAt, making);
  return {
    session: sessionInfo(engine, record),
    setCookie: serializeCookie(name, value, attributes),
  };
}
