/** Advice on a server whose clock is not this process's. */
import type { UnixMs } from "../clock.ts";
import type { Advice } from "./contract.ts";

/** Further apart than this, in ms, clocks are worth a word. */
const WORTH_A_WORD = 1_000;

/** A reading of a server's clock, and of ours before and after: what the way may have taken counts for nothing. */
export interface ClockReading {
  readonly there: UnixMs;
  readonly sent: UnixMs;
  readonly received: UnixMs;
}

/** What to say of it; null: nothing. */
export function clockAdvice({ there, sent, received }: ClockReading): Advice | null {
  const ahead = there > received ? there - received : Math.min(0, there - sent);
  if (Math.abs(ahead) <= WORTH_A_WORD) return null;
  const by = `${(Math.abs(ahead) / 1_000).toFixed(1)} s ${ahead > 0 ? "ahead of" : "behind"}`;
  return {
    topic: "clock",
    message:
      `The server's clock is ${by} this process's. Sessions expire by the clock of the process that asks, ` +
      "so processes whose clocks differ disagree on who is logged in. Run NTP on all machines.",
  };
}
