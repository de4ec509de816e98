/**
 * The token: the secret bearer value. `<tag>.<secret>`, where secret is 32 bytes from the CSPRNG in
 * base64url: 256 bits, twice ASVS 7.2.3's 128 and four times NIST 800-63B-4 5.1's 64.
 */
import { hash } from "node:crypto";
import { SojournError } from "../errors.ts";
import type { Handle, RecordKey } from "../store/contract.ts";
import { randomText, takeRandom } from "./random.ts";
import { TAG_LENGTH } from "./tag.ts";

declare const brand: unique symbol;
/** A token in clear: leaves the core in a Set-Cookie header only. */
export type Token = string & { readonly [brand]: "Token" };

/** Makes the 32 secret bytes of a token. */
export type SecretGenerator = () => Uint8Array;

const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
/** Characters in a token. */
export const TOKEN_LENGTH: number = TAG_LENGTH + 1 + SECRET_LENGTH;

/** 14 bits in 3 characters, then 256 bits in 43: the unused low bits are zero, so one form only. */
const TOKEN = /^[\w-]{2}[AQgw]\.[\w-]{42}[AEIMQUYcgkosw048]$/;

/** The default generator. */
export const randomSecret: SecretGenerator = () => takeRandom(SECRET_BYTES);

/**
 * A new token. @throws SOJOURN_OPTIONS_INVALID when a custom generator gives anything but 32 bytes that vary.
 */
export function mintToken(tag: string, generate: SecretGenerator = randomSecret): Token {
  const secret = generate();
  if (!(secret instanceof Uint8Array) || secret.byteLength !== SECRET_BYTES) {
    throw badGenerator("must return a Uint8Array of 32 bytes");
  }
  if (secret.every((byte) => byte === secret[0])) {
    throw badGenerator("returned 32 equal bytes: it is not random");
  }
  return `${tag}.${Buffer.from(secret).toString("base64url")}` as Token;
}

function badGenerator(problem: string): SojournError {
  return new SojournError("SOJOURN_OPTIONS_INVALID", `the option generateSecret ${problem}`);
}

/** True if the text has the exact form of a token. */
export function isToken(text: string): text is Token {
  return text.length === TOKEN_LENGTH && TOKEN.test(text);
}

/** The store's key of a token: its tag and its SHA-256, so that a stolen store opens nothing. */
export function digestToken(token: Token): RecordKey {
  return (token.slice(0, TAG_LENGTH + 1) + hash("sha256", token, "base64url")) as RecordKey;
}

/** Whether a text has the exact form of a key of {@link digestToken}. */
export function isDigestKey(text: string): text is RecordKey {
  return text.length === TOKEN_LENGTH && TOKEN.test(text);
}

/** A new public id with the given tag: 96 random bits, to be unique, not secret. */
export function mintHandle(tag: string): Handle {
  return `${tag}${randomText(12)}` as Handle;
}

const HANDLE = /^[\w-]{2}[AQgw][\w-]{16}$/;

/** The handle if the text has the exact form of one, else null. */
export function parseHandle(text: string): Handle | null {
  return typeof text === "string" && HANDLE.test(text) ? (text as Handle) : null;
}
