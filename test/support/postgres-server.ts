/** Vitest's global set-up: the Postgres of the scenarios, started once for all of them. */
import type { TestProject } from "vitest/node";
import { startServer } from "../../packages/store-postgres/test/support/server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server of the scenarios is. */
    postgres: { readonly url: string };
  }
}

/** Starts it; the returned function stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer("max_connections=200");
  project.provide("postgres", { url: server.url });
  return () => server.stop();
}
