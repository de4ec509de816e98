/** What every page shows around its content, taken from the session. */
import { takeFlash } from "./flash.mjs";
import { cartLines } from "./shop.mjs";

/**
 * The facts of a page: who is signed in, the cart, the notices (now shown, so gone), the session.
 * `session` is undefined on an error page of a request that got none.
 */
export function shellOf(session, { users, path, now, framework }) {
  if (!session)
    return { user: null, cart: cartLines(), notices: [], facts: null, path, now, framework };
  return {
    user: session.principal === null ? null : (users.get(session.principal) ?? null),
    cart: cartLines(session.cart),
    notices: takeFlash(session),
    facts: {
      handle: session.handle,
      level: session.level,
      createdAt: session.createdAt,
      authenticatedAt: session.authenticatedAt,
      expiresAt: session.expiresAt,
      absoluteExpiresAt: session.absoluteExpiresAt,
    },
    path,
    now,
    framework,
  };
}
