/** The options that export and import have in common, checked. */
import { SojournError } from "../errors.ts";
import { KeyRing } from "../keys/key-ring.ts";
import type { Engine } from "../lifecycle/engine.ts";
import type { ExportOptions, ImportOptions } from "./types.ts";

type Common = ExportOptions | ImportOptions;

/** The keys of a snapshot. @throws SOJOURN_OPTIONS_INVALID */
export function ringOf({ settings }: Engine, { keys }: Common): KeyRing {
  if (keys === undefined) return settings.ring;
  if (keys instanceof KeyRing) return keys;
  if (typeof keys === "string" || keys instanceof Uint8Array) return new KeyRing([keys]);
  return new KeyRing(keys);
}

/**
 * The kinds of records of a snapshot. Approvals are not among them unless asked for: a store keeps no trace of
 * one that was used, so it would come back.
 */
export function kindsOf({ settings: { kind } }: Engine, { kinds }: Common): readonly string[] {
  return kinds ?? [kind];
}

/** Refuses numbers that are none. @throws SOJOURN_OPTIONS_INVALID */
export function checkNumbers(
  what: string,
  numbers: Readonly<Record<string, number | undefined>>,
): void {
  const wrong = Object.entries(numbers).find(
    ([, value]) => value !== undefined && !(Number.isSafeInteger(value) && value >= 1),
  );
  if (wrong === undefined) return;
  throw new SojournError(
    "SOJOURN_OPTIONS_INVALID",
    `${what}: ${wrong[0]} must be a whole number from 1 on`,
  );
}
