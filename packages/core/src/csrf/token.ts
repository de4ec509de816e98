/**
 * Anti-forgery tokens: a random text and an HMAC over it and the session's key, so that each is good for one
 * session and dies with its token: at login, elevation, rotation (OWASP: signed double submit, bound to the session).
 */
import type { Signing } from "../keys/signing.ts";
import type { RecordKey } from "../store/contract.ts";
import { randomText } from "../token/random.ts";

const RANDOM_BYTES = 16;
const RANDOM_LENGTH = 22;

/** A token for the session of that key; another text each time (against BREACH). */
export function mintCsrfToken(signing: Signing, key: RecordKey): string {
  const random = randomText(RANDOM_BYTES);
  return `${random}.${signing.sign(message(key, random))}`;
}

/** Whether the token was made for the session of that key. */
export function isCsrfToken(signing: Signing, key: RecordKey, token: string): boolean {
  if (token[RANDOM_LENGTH] !== ".") return false;
  const verdict = signing.verify(
    message(key, token.slice(0, RANDOM_LENGTH)),
    token.slice(RANDOM_LENGTH + 1),
  );
  return verdict === "valid" || verdict === "stale";
}

function message(key: RecordKey, random: string): string {
  return `${key.length}!${key}!${random.length}!${random}`;
}
