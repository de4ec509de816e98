/** `exportEndpoint`: has the sessions saved by an HTTP request, as a preStop hook sends it. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { isSojournError } from "../errors.ts";
import type { Logger } from "../events.ts";
import type { Sessions } from "../manager/types.ts";
import { checked, has, loggerOption } from "./options.ts";
import type { SaveSnapshot, SnapshotFile } from "./snapshot-file.ts";
import { tellError } from "./tell.ts";

/** Options of {@link exportEndpoint}. */
export interface ExportEndpointOptions {
  readonly sessions: Sessions;
  /** At least 32 characters. Without one, or with an empty one, there is no endpoint. */
  readonly secret: string | undefined;
  readonly to: SnapshotFile | SaveSnapshot;
  /** Default: errors become process warnings. False: silence. */
  readonly logger?: Logger | false;
}

/** What the endpoint looks at; a request of Node, Express or Fastify. */
export interface ExportRequest {
  readonly method?: string | undefined;
  readonly headers: { readonly authorization?: string | undefined };
}

/** The answer, to be sent as JSON. `body` is null where there is none. */
export interface ExportAnswer {
  readonly status: 200 | 401 | 404 | 405 | 409 | 500 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | null;
}

/** For Express and `node:http` a handler; for others, {@link ExportEndpoint.answer}. */
export interface ExportEndpoint {
  /** Without a secret: `next`, where there is one. */
  (request: IncomingMessage, response: ServerResponse, next?: () => void): void;
  /**
   * POST with `Authorization: Bearer <secret>` (RFC 6750 2.1): 200 and counts. Else 404 where there is no
   * secret, 401 without it or with another, 405 (RFC 9110 15.5.6), 409 while an export runs, 503 or
   * 500 with a code when it failed. Never rejects.
   */
  answer(request: ExportRequest): Promise<ExportAnswer>;
}

const SHORTEST_SECRET = 32;
const PLAIN = { "cache-control": "no-store" };

const optionsSchema = z.strictObject({
  sessions: z.custom<Sessions>((value) => typeof value === "object" && value !== null),
  secret: z
    .string()
    .refine(
      (secret) => secret === "" || secret.length >= SHORTEST_SECRET,
      `must have at least ${SHORTEST_SECRET} characters; make one with: openssl rand -base64 32`,
    )
    .optional(),
  to: has<SnapshotFile | SaveSnapshot>("a snapshotFile() or a function", ["save"]),
  logger: loggerOption.optional(),
});

/** @throws SOJOURN_OPTIONS_INVALID, also for a secret that is too short */
export function exportEndpoint(options: ExportEndpointOptions): ExportEndpoint {
  const { sessions, secret, to, logger } = checked("exportEndpoint()", optionsSchema, options);
  const save = typeof to === "function" ? to : to.save.bind(to);
  let isRunning = false;

  async function answer({ method, headers }: ExportRequest): Promise<ExportAnswer> {
    if (!secret) return refusal(404);
    if (!holds(headers.authorization, secret))
      return refusal(401, { "www-authenticate": "Bearer" });
    if (method !== "POST") return refusal(405, { allow: "POST" });
    if (isRunning) return refusal(409, { "retry-after": "2" });
    isRunning = true;
    try {
      const { exported, skipped, bytes, tookMs } = await save(sessions);
      return { status: 200, headers: PLAIN, body: { exported, skipped, bytes, tookMs } };
    } catch (error) {
      tellError(logger, { err: error }, "an export that was asked for failed");
      return failure(error);
    } finally {
      isRunning = false;
    }
  }

  const handler = (request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    if (!secret && next) return next();
    void answer(request).then((given) => send(response, given));
  };
  return Object.assign(handler, { answer });
}

/** Digests have one length, whatever was sent. */
function holds(authorization: string | undefined, secret: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function refusal(
  status: 401 | 404 | 405 | 409,
  headers: Record<string, string> = {},
): ExportAnswer {
  return { status, headers: { ...PLAIN, ...headers }, body: null };
}

function failure(error: unknown): ExportAnswer {
  const known = isSojournError(error) ? error : null;
  const status = known?.statusCode === 503 ? 503 : 500;
  const headers = status === 503 ? { ...PLAIN, "retry-after": "2" } : PLAIN;
  return { status, headers, body: { error: known?.code ?? "export failed" } };
}

function send(response: ServerResponse, { status, headers, body }: ExportAnswer): void {
  if (body === null) response.writeHead(status, headers).end();
  else {
    const json = { ...headers, "content-type": "application/json" };
    response.writeHead(status, json).end(JSON.stringify(body));
  }
}
