/** One request to a process of the application: what came back, and when. */
import { Agent, request } from "node:http";

/** After so many ms a request counts as not answered. */
export const HANGS_AFTER = 6_000;

/** What came back; `status` 0: nothing. */
export interface Reply {
  readonly status: number;
  /** Of Sojourn, where it is an error. */
  readonly code: string | null;
  readonly body: unknown;
  /** What the browser would send next time; null: no cookie was set, or it was cleared. */
  readonly cookie: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What is asked. */
export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly cookie?: string | null;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** Sends one request; never rejects. */
export function send(port: number, { method, path, cookie }: Question): Promise<Reply> {
  const startedAt = performance.now();
  const headers = cookie ? { cookie } : {};
  return new Promise((resolve) => {
    const done = (reply: Omit<Reply, "startedAt" | "endedAt">): void => {
      clearTimeout(timer);
      resolve({ ...reply, startedAt, endedAt: performance.now() });
    };
    const asked = request({ host: "127.0.0.1", port, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => done(NOTHING));
      response.on("end", () => {
        const body = parsed(Buffer.concat(chunks).toString());
        const { statusCode: status = 0 } = response;
        done({
          status,
          code: codeIn(body),
          body,
          cookie: cookieIn(response.headers["set-cookie"]),
        });
      });
    });
    const timer = setTimeout(() => asked.destroy(), HANGS_AFTER);
    asked.on("error", () => done(NOTHING));
    asked.end();
  });
}

const NOTHING = { status: 0, code: null, body: null, cookie: null } as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function codeIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("code" in body)) return null;
  return String(body.code);
}

function cookieIn(lines: readonly string[] = []): string | null {
  const pair = lines.find((line) => line.startsWith("sid="))?.split(";")[0];
  return pair === undefined || pair === "sid=" ? null : pair;
}
