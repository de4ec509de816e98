/** Sessions in an encrypted cookie, with revocation. */
export { cookieStore } from "./store.ts";
export type { CookieStoreOptions } from "./options.ts";
