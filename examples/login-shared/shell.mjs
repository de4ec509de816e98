/** What every page shows around its content, taken from the session. */
import { takeFlash } from "./flash.mjs";
import { cartLines } from "./shop.mjs";

/**
 * The facts of a page: who is signed in, the cart, the notices (now shown, so gone), the session.
 * `session` is undefined on an error page of a request that got none. `around` is `path`, `now`,
 * `framework`, `limits` (the options `max`, `idle`, `absolute`) and perhaps `servedBy` and `live`.
 */
export function shellOf(session, { users, ...around }) {
  if (!session) return { ...around, user: null, cart: cartLines(), notices: [], facts: null };
  return {
    ...around,
    user: users.get(session.principal),
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
  };
}
