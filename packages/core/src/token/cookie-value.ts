/** The cookie's value: `<token>.<signature>`, where the signature covers the cookie's name too. */
import type { CookieRejection } from "../events.ts";
import { type Signing, SIGNATURE_LENGTH } from "../keys/signing.ts";
import { isToken, type Token, TOKEN_LENGTH } from "./token.ts";

const VALUE_LENGTH = TOKEN_LENGTH + 1 + SIGNATURE_LENGTH;
const SIGNATURE = /^[\w-]+$/;
/** More than so many distinct values under our name are not worth a MAC each. */
const MOST_VALUES = 8;

/** A token that is signed by one of our keys. */
export interface PresentedToken {
  readonly status: "token";
  readonly token: Token;
  /** It was signed by an older key. */
  readonly resign: boolean;
  /** It came among others, which were not valid. */
  readonly amongOthers: boolean;
}

/** What a request's cookies say: a token to look up, nothing, or a reason why not. */
export type Presented =
  | PresentedToken
  | { readonly status: "none" }
  | { readonly status: "rejected"; readonly reason: CookieRejection };

/** Signs a token for the cookie of that name: it is worth nothing under another name. */
export function sealToken(keys: Signing, name: string, token: Token): string {
  return `${token}.${keys.sign(`${name}=${token}`)}`;
}

/**
 * Judges the values found under our name, without the store. Of several values exactly one must
 * be valid: a second one was planted from a sibling domain or path (cookie tossing).
 */
export function openCookies(keys: Signing, name: string, values: readonly string[]): Presented {
  const [first] = values;
  if (first === undefined) return { status: "none" };
  if (values.length === 1) return openToken(keys, name, first);
  if (values.length > MOST_VALUES) return { status: "rejected", reason: "duplicate" };
  const opened = values.map((value) => openToken(keys, name, value));
  const valid = opened.filter((one) => one.status === "token");
  if (valid.length > 1) return { status: "rejected", reason: "duplicate" };
  const [only] = valid;
  if (only) return { ...only, amongOthers: opened.length > 1 };
  return opened[0] ?? { status: "none" };
}

function openToken(keys: Signing, name: string, value: string): Presented {
  const token = value.slice(0, TOKEN_LENGTH);
  const signature = value.slice(TOKEN_LENGTH + 1);
  if (value.length !== VALUE_LENGTH || value[TOKEN_LENGTH] !== "." || !isToken(token))
    return { status: "rejected", reason: "malformed" };
  const verdict = keys.verify(`${name}=${token}`, signature);
  if (verdict === "bad-signature" || verdict === "unknown-key")
    return { status: "rejected", reason: SIGNATURE.test(signature) ? verdict : "malformed" };
  return { status: "token", token, resign: verdict === "stale", amongOthers: false };
}
