/** The frameworks without sessions: what all others are measured over. */
import type { Contender } from "../contender.ts";
import { expressSite } from "../sites/express.ts";
import { fastifySite } from "../sites/fastify.ts";

const uses = { read: () => "user-0000000", write: () => {}, login: () => {} };
const seed = async (user: string): Promise<string> => `id=${user}`;

/** Fastify and Express alone. */
export const contenders: readonly Contender[] = [
  {
    name: "bare-fastify",
    title: "Fastify alone",
    framework: "fastify",
    needs: [],
    start: () => fastifySite(uses, undefined, seed),
  },
  {
    name: "bare-express",
    title: "Express alone",
    framework: "express",
    needs: [],
    start: () => expressSite(uses, undefined, seed),
  },
];
