/** iron-session 8: the whole session in an encrypted cookie; nothing can be revoked. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { getIronSession } from "iron-session";
import type { IronSession } from "iron-session";
import type { Contender } from "../contender.ts";
import { SECRET } from "../session-data.ts";
import type { SessionData } from "../session-data.ts";
import { fastifySite } from "../sites/fastify.ts";
import type { FastifyUses } from "../sites/fastify.ts";

const OPTIONS = {
  password: SECRET,
  cookieName: "iron",
  cookieOptions: { secure: true, sameSite: "lax" },
} as const;

type Opened = IronSession<Partial<SessionData>>;

const open = ({ raw: request }: FastifyRequest, { raw: response }: FastifyReply): Promise<Opened> =>
  getIronSession<Partial<SessionData>>(request, response, OPTIONS);

const uses: FastifyUses = {
  read: async (request, reply) => (await open(request, reply)).user,
  async write(request, n, reply) {
    const session = await open(request, reply);
    session.n = n;
    await session.save();
  },
  async login(request, user, reply) {
    const session = await open(request, reply);
    delete session.cart;
    delete session.text;
    session.user = user;
    await session.save();
  },
  async fill(request, data, reply) {
    const session = await open(request, reply);
    await Object.assign(session, data).save();
  },
};

/** iron-session. */
export const contenders: readonly Contender[] = [
  {
    name: "iron-session-fastify",
    title: "iron-session 8 (cookie)",
    framework: "fastify",
    needs: [],
    start: () => fastifySite(uses),
  },
];
