/** The worker as one JavaScript file. */
import { join } from "node:path";
import { bundle } from "../../../../test/support/bundle.ts";
import type { Bundle } from "../../../../test/support/bundle.ts";

/** The path of the bundled worker, in a directory of its own. */
export function bundleWorker(): Promise<Bundle> {
  return bundle(join(import.meta.dirname, "worker.ts"));
}
