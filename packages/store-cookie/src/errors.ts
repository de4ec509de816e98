/** The errors of a store that is in the browsers. */
import { SojournError } from "@sojourn/core/store";

/** SOJOURN_STORE_UNSUPPORTED: `why` ends the sentence "cookieStore(): …" and says what to do. */
export function unsupported(why: string): SojournError {
  return new SojournError("SOJOURN_STORE_UNSUPPORTED", `cookieStore(): ${why}`);
}

/** SOJOURN_STORE_UNSUPPORTED for what needs a list of all sessions. */
export function noList(what: string): SojournError {
  return unsupported(
    `it cannot ${what}, for the sessions are in the browsers: use redisStore(), postgresStore() or fileStore() where you need that`,
  );
}

/** SOJOURN_DATA_TOO_LARGE for a session that its cookies cannot carry. Lengths in characters. */
export function tooLarge(length: number, room: number): SojournError {
  return new SojournError(
    "SOJOURN_DATA_TOO_LARGE",
    `this session is ${length} characters long when sealed, and its cookies have room for ${room}; nothing was written. Keep large things in your database and their ids in the session, or raise the option chunks or set compress of cookieStore()`,
    { details: { length, room } },
  );
}

/** The error for a record of the ledger that is not one of ours. */
export function corruptPage(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    "a record of the epochs of cookieStore() cannot be read; it was left as it is. Find out what else writes to that store. To begin anew, delete its records of kind 'epoch:…' and change the secret: that signs everyone out",
  );
}
