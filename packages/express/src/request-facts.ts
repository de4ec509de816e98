/** What the core needs to know of a request, from Express or from plain Node. */
import type { RequestFacts } from "@sojourn/core";
import type { SessionRequest } from "./types.ts";

/** `secure` and `ip` are Express's, which knows the proxies to trust; else those of the connection. */
export function factsOf(request: SessionRequest): RequestFacts {
  const { headers, socket } = request;
  const secure: unknown = Reflect.get(request, "secure");
  return {
    cookieHeader: headers.cookie,
    secure: typeof secure === "boolean" ? secure : "encrypted" in socket && socket.encrypted,
    client: () => {
      const ip: unknown = Reflect.get(request, "ip");
      return {
        ip: typeof ip === "string" ? ip : socket.remoteAddress,
        userAgent: headers["user-agent"],
      };
    },
  };
}
