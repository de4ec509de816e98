/** The session of a request that gets no answer of ours: the upgrade to a WebSocket. */
import type { Pipeline } from "../pipeline.ts";
import type { Session } from "../session/types.ts";

/** What is needed of a request; an `IncomingMessage` of node:http has it. */
export interface UpgradeRequest {
  readonly headers: {
    readonly cookie?: string | undefined;
    readonly "user-agent"?: string | undefined;
  };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Options of `sessions.fromUpgrade`. */
export interface UpgradeOptions {
  /**
   * Whether the browser speaks TLS, also where a proxy ends it; matters with `cookie.secure: 'auto'`.
   * Default: whether this socket does.
   */
  readonly secure?: boolean;
}

/** See `Sessions.fromUpgrade`. */
export async function sessionOfUpgrade(
  pipeline: Pipeline,
  { headers, socket }: UpgradeRequest,
  { secure = "encrypted" in socket && socket.encrypted === true }: UpgradeOptions = {},
): Promise<Session> {
  const context = await pipeline.begin({
    cookieHeader: headers.cookie,
    secure,
    client: () => ({ ip: socket.remoteAddress, userAgent: headers["user-agent"] }),
  });
  return context.session;
}
