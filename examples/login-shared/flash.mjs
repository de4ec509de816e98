/** Notices for the next page: kept in the session, shown once. */
import { count, lasting } from "./pages/words.mjs";

/** Adds a notice. `tone` is `good`, `info` or `warn`. */
export function flash(session, tone, words) {
  session.flash = [...(session.flash ?? []), { tone, words }];
}

/** Takes the notices out. */
export function takeFlash(session) {
  const notices = session.flash ?? [];
  if (notices.length > 0) delete session.flash;
  return notices;
}

const REASONS = {
  "password changed": "your password was changed on another device",
  "signed out from another device": "you signed this device out from another one",
  "signed out everywhere": "you signed out everywhere",
};

/**
 * Why this browser was signed out, as a notice. A stranger's session and your own logout need none.
 * `limits` are the options `max`, `idle` and `absolute`.
 */
export function tellEnding(session, limits) {
  const words = session.ending?.principal ? endingWords(session.ending, limits) : null;
  if (words) flash(session, "warn", words);
}

function endingWords({ why, reason }, { max, idle, absolute }) {
  switch (why) {
    case "evicted":
      return `You were signed out because you signed in on more than ${count(max, "device")}.`;
    case "revoked":
      return `You were signed out because ${REASONS[reason] ?? reason ?? "somebody ended your session"}.`;
    case "idle":
      return `You were signed out because nothing happened for ${lasting(idle)}.`;
    case "absolute":
      return `You were signed out because you signed in ${lasting(absolute)} ago.`;
    default:
      return null;
  }
}
