/** Everyone who takes part. */
import type { Contender, Framework } from "../contender.ts";
import { contenders as bare } from "./bare.ts";
import { contenders as betterAuth } from "./better-auth.ts";
import { contenders as cookieSession } from "./cookie-session.ts";
import { contenders as expressSession } from "./express-session.ts";
import { contenders as fastifySession } from "./fastify-session.ts";
import { contenders as floor } from "./floor.ts";
import { contenders as ironSession } from "./iron-session.ts";
import { contenders as ours } from "./ours.ts";
import { contenders as secureSession } from "./secure-session.ts";

/** By file name, the bare ones first: a contender's process imports its own file alone. */
const FILES: Readonly<Record<string, readonly Contender[]>> = {
  bare,
  floor,
  ours,
  "fastify-session": fastifySession,
  "secure-session": secureSession,
  "iron-session": ironSession,
  "express-session": expressSession,
  "cookie-session": cookieSession,
  "better-auth": betterAuth,
};

/** All of them. */
export const CONTENDERS: readonly Contender[] = Object.values(FILES).flat();

/** The file that a contender is in, without its ending. */
export function fileOf(contender: Contender): string {
  const found = Object.entries(FILES).find(([, contenders]) => contenders.includes(contender));
  if (found === undefined) throw new Error(`no file of ${contender.name}`);
  return found[0];
}

/** The contender of a name. */
export function contenderOf(name: string): Contender {
  const found = CONTENDERS.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`no contender ${name}`);
  return found;
}

/** The one that the others of a framework are compared with. */
export const bareOf = (framework: Framework): Contender => contenderOf(`bare-${framework}`);
