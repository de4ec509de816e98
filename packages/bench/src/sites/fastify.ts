/** A site on Fastify. */
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Site } from "../contender.ts";
import { sessionData } from "../session-data.ts";
import { seedByRequest, userOf } from "./uses.ts";
import type { Seed, Uses } from "./uses.ts";

/** What a library does on Fastify. */
export type FastifyUses = Uses<FastifyRequest, FastifyReply>;

/** Serves the routes. `install` registers the library. @param seed default: by a request */
export async function fastifySite(
  uses: FastifyUses,
  install: (app: FastifyInstance) => unknown = () => {},
  seed?: Seed,
): Promise<Site> {
  const app = Fastify({ logger: false, trustProxy: true });
  await install(app);
  let writes = 0;
  app.get("/none", async () => ({ user: null }));
  for (const path of ["/read", "/anon"])
    app.get(path, async (request, reply) => ({ user: (await uses.read(request, reply)) ?? null }));
  app.post("/write", async (request, reply) => {
    writes += 1;
    await uses.write(request, writes, reply);
    return { user: null };
  });
  app.post("/login", async (request, reply) => {
    await uses.login(request, userOf(request.headers), reply);
    return { user: null };
  });
  app.post("/fill", async (request, reply) => {
    await uses.fill?.(request, sessionData(userOf(request.headers)), reply);
    return { user: null };
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  return { port, seed: seed ?? seedByRequest(port) };
}
