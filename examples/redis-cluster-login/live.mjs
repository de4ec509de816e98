/** WebSockets that end with their session, on whichever process it is ended. */
import { isOfOtherOrigin } from "@sojourn/example-login-shared";
import { WebSocketServer } from "ws";

/** The close code that assets/live.js of the shop understands. */
const SESSION_ENDED = 4401;

/** Takes upgrades to /live on the HTTP server; `close` ends them all. */
export function attachLive(server, { sessions, servedBy }) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024 });
  sockets.on("headers", (headers) => headers.push(`X-Served-By: ${servedBy}`));
  server.on("upgrade", async (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const session = await sessionOf(sessions, request);
    if (!session) return socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (live) => {
      const stop = sessions.watch(session.handle, ({ why }) => live.close(SESSION_ENDED, why));
      live.on("error", () => live.terminate());
      live.on("close", stop);
    });
  });
  return {
    close() {
      for (const live of sockets.clients) live.close(1001);
    },
  };
}

/** The session of an upgrade, or null: a stranger's, another site's, or the store is away. */
async function sessionOf(sessions, request) {
  if (request.url !== "/live" || isOfOtherOrigin(request.headers)) return null;
  try {
    // Only the proxy reaches this process, so what it says of the browser's connection is so.
    const secure = request.headers["x-forwarded-proto"] === "https";
    const session = await sessions.fromUpgrade(request, { secure });
    return session.principal === null ? null : session;
  } catch (error) {
    console.error(error.message);
    return null;
  }
}
