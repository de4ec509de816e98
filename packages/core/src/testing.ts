/** Helpers for the tests of applications. */
import type { CreateOptions, Sessions } from "./manager/types.ts";

/**
 * Logs a principal in and gives the `Cookie` header to send with it, in one line:
 * `app.inject({ url: "/me", headers: { cookie: await loginCookie(app.sessions, "ada") } })`.
 */
export async function loginCookie(
  sessions: Sessions,
  principal: string | number,
  options: Omit<CreateOptions, "principal"> = {},
): Promise<string> {
  const { setCookie } = await sessions.create({ ...options, principal });
  return setCookie.slice(0, setCookie.indexOf(";"));
}
