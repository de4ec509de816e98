/** A site on Express. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Express, Request, Response } from "express";
import type { Site } from "../contender.ts";
import { sessionData } from "../session-data.ts";
import { seedByRequest, userOf } from "./uses.ts";
import type { Seed, Uses } from "./uses.ts";

/** What a library does on Express. */
export type ExpressUses = Uses<Request, Response>;

/** Serves the routes. `install` uses the library. @param seed default: by a request */
export async function expressSite(
  uses: ExpressUses,
  install: (app: Express) => unknown = () => {},
  seed?: Seed,
): Promise<Site> {
  const app = express().set("trust proxy", true);
  await install(app);
  let writes = 0;
  app.get("/none", (_request, response) => void response.json({ user: null }));
  app.get(["/read", "/anon"], async (request, response) => {
    response.json({ user: (await uses.read(request, response)) ?? null });
  });
  app.post("/write", async (request, response) => {
    writes += 1;
    await uses.write(request, writes, response);
    response.json({ user: null });
  });
  app.post("/login", async (request, response) => {
    await uses.login(request, userOf(request.headers), response);
    response.json({ user: null });
  });
  app.post("/fill", async (request, response) => {
    await uses.fill?.(request, sessionData(userOf(request.headers)), response);
    response.json({ user: null });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, seed: seed ?? seedByRequest(port) };
}
