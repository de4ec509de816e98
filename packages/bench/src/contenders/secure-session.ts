/** @fastify/secure-session: the whole session in an encrypted cookie; nothing can be revoked. */
import type { FastifyPluginCallback } from "fastify";
import type { Contender } from "../contender.ts";
import type { SessionData } from "../session-data.ts";
import { SECRET } from "../session-data.ts";
import { fastifySite } from "../sites/fastify.ts";
import type { FastifyUses } from "../sites/fastify.ts";
import { peer } from "./peers.ts";

interface SealedSession {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  regenerate(): void;
}

interface Library {
  readonly default: FastifyPluginCallback<{ key: Buffer; cookie: object }>;
}

const sessionOf = (request: object): SealedSession =>
  (request as { readonly session: SealedSession }).session;

const uses: FastifyUses = {
  read: (request) => sessionOf(request).get("user"),
  write: (request, n) => sessionOf(request).set("n", n),
  login(request, user) {
    sessionOf(request).regenerate();
    sessionOf(request).set("user", user);
  },
  fill(request, data: SessionData) {
    for (const [key, value] of Object.entries(data)) sessionOf(request).set(key, value);
  },
};

/** @fastify/secure-session. */
export const contenders: readonly Contender[] = [
  {
    name: "secure-session-fastify",
    title: "@fastify/secure-session (cookie)",
    framework: "fastify",
    needs: [],
    async start() {
      const { default: library } = await peer<Library>("@fastify/secure-session");
      const key = Buffer.from(SECRET).subarray(0, 32);
      const cookie = { path: "/", httpOnly: true, secure: true, sameSite: "lax" };
      return fastifySite(uses, (app) => app.register(library, { key, cookie }));
    },
  },
];
