/** The callback form of `save`, `reload`, `destroy` and `regenerate`, as passport and others call it. */
import type { Callback } from "./types.ts";

/**
 * The promise itself, or with a callback: calls it once, and what it throws is nobody's rejection
 * but an uncaught exception, as from any node-style callback.
 */
export function callbackOrPromise(
  work: Promise<void>,
  callback: Callback | undefined,
): Promise<void> {
  if (typeof callback !== "function") return work;
  return work.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, error),
  );
}
