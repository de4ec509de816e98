/** What a site does with a session on each route: all that differs between two libraries on one framework. */
import type { Site } from "../contender.ts";
import type { SessionData } from "../session-data.ts";

/** Each gets the request and the response of its framework, and may answer later. */
export interface Uses<Request, Response> {
  /** One property of the session. */
  read(request: Request, response: Response): unknown;
  write(request: Request, n: number, response: Response): unknown;
  login(request: Request, user: string, response: Response): unknown;
  /** Puts data into a new session. For libraries whose sessions are made by a request alone. */
  fill?(request: Request, data: SessionData, response: Response): unknown;
}

/** Makes a session without a request. */
export type Seed = Site["seed"];

/** What each request says: a proxy in front ended TLS. */
export const FORWARDED = { "x-forwarded-proto": "https" };

/** A session by a request to `POST /fill`. */
export function seedByRequest(port: number): Seed {
  return async (user) => {
    const headers = { ...FORWARDED, "x-user": user };
    const answer = await fetch(`http://127.0.0.1:${port}/fill`, { method: "POST", headers });
    if (!answer.ok) throw new Error(`/fill answers ${answer.status}: ${await answer.text()}`);
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "");
    if (cookies.length === 0) throw new Error("/fill sets no cookie");
    return cookies.join("; ");
  };
}

/** Who logs in. */
export function userOf(headers: Record<string, unknown>): string {
  return String(headers["x-user"]);
}
