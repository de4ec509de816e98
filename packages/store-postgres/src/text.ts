/** Text as Postgres can keep it: it has no place for U+0000, so that is written in another way. */

const ESCAPE = "\u0001";
const TO_ESCAPE = /[\0\u0001]/; // oxlint-disable-line no-control-regex -- these two are meant
const EACH = /[\0\u0001]/g; // oxlint-disable-line no-control-regex
const ESCAPED = /\u0001([01])/g; // oxlint-disable-line no-control-regex

/** What is kept for a text; nearly always the text itself. */
export function encode(text: string): string {
  if (!TO_ESCAPE.test(text)) return text;
  return text.replace(EACH, (found) => ESCAPE + (found === ESCAPE ? "1" : "0"));
}

/** The text that was kept. */
export function decode(kept: string): string {
  if (!kept.includes(ESCAPE)) return kept;
  return kept.replace(ESCAPED, (_, which) => (which === "1" ? ESCAPE : "\0"));
}
