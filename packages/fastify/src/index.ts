/** Sessions for Fastify: the plugin, and everything of `@sojourn/core` under the same name. */
export * from "@sojourn/core";
export { sessionPlugin, type SessionPluginOptions } from "./plugin.ts";
