/** cookie-session: the whole session in a signed, readable cookie; nothing can be revoked. */
import type { RequestHandler } from "express";
import type { Contender } from "../contender.ts";
import { SECRET } from "../session-data.ts";
import type { SessionData } from "../session-data.ts";
import { expressSite } from "../sites/express.ts";
import type { ExpressUses } from "../sites/express.ts";
import { peer } from "./peers.ts";

interface Library {
  readonly default: (options: object) => RequestHandler;
}

const holderOf = (request: object): { session: Partial<SessionData> } =>
  request as { session: Partial<SessionData> };

const uses: ExpressUses = {
  read: (request) => holderOf(request).session.user,
  write: (request, n) => void (holderOf(request).session.n = n),
  login: (request, user) => void (holderOf(request).session = { user }),
  fill: (request, data) => void (holderOf(request).session = data),
};

/** cookie-session. */
export const contenders: readonly Contender[] = [
  {
    name: "cookie-session-express",
    title: "cookie-session (cookie)",
    framework: "express",
    needs: [],
    async start() {
      const { default: library } = await peer<Library>("cookie-session");
      const session = library({ keys: [SECRET], secure: true, sameSite: "lax" });
      return expressSite(uses, (app) => app.use(session));
    },
  },
];
