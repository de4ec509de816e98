/** The middleware under test, with a store to watch. */
import { onTestFinished } from "vitest";
import { sessionMiddleware } from "../../src/index.ts";
import type { ExpressSessionOptions, SessionMiddleware } from "../../src/index.ts";
import { watchedStore } from "./stores.ts";
import type { WatchedStore } from "./stores.ts";
import type { Step } from "./apps.ts";

export const SECRET = "a secret for tests, of at least 32 bytes";

export type Tested = WatchedStore & { readonly step: Step; readonly middleware: SessionMiddleware };

export function tested(options: ExpressSessionOptions = {}): Tested {
  const watched = watchedStore();
  const middleware = sessionMiddleware({ secret: SECRET, store: watched.store, ...options });
  onTestFinished(() => middleware.sessions.close());
  return { ...watched, middleware, step: middleware };
}
