/** Sessions for Fastify: the plugin, and everything of `@sojourn/core` under the same name. */
export * from "@sojourn/core";
export { csrfGuard, type CsrfGuardOptions } from "./csrf-guard.ts";
export { sessionPlugin, type SessionPluginOptions } from "./plugin.ts";
