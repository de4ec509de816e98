/** Times and amounts in words. */
import { html } from "../html.mjs";

const euro = new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR" });
const instant = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

export const money = (cents) => euro.format(cents / 100);

/** An instant relative to now, the exact time on hover. */
export function when(at, now) {
  const ms = at - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(ms) >= length) ?? ["moment", 1];
  const words =
    unit === "moment"
      ? ms > 0
        ? "in a moment"
        : "just now"
      : relative.format(Math.trunc(ms / size), unit);
  return html`<time datetime="${new Date(at).toISOString()}" title="${instant.format(at)} UTC"
    >${words}</time
  >`;
}

/** `1 thing`, `2 things`. */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const LONG = { ms: "millisecond", s: "second", m: "minute", h: "hour", d: "day" };

/** A duration such as `30m` in words: `30 minutes`. */
export function lasting(duration) {
  const [, amount, unit] = /^([\d.]+)(\w+)$/.exec(duration);
  return count(Number(amount), LONG[unit]);
}
