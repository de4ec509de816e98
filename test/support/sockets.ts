/** WebSockets of a test: a client that notes what it hears and how it ends, and a bus between managers. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Signals } from "@sojourn/core/store";
import { WebSocket } from "ws";

/** A busy machine may hold one try up; what is shown is that it takes no poll. */
export const BEST_OF_FIVE = { retry: 4 } as const;

/** An open socket. */
export interface Client {
  readonly socket: WebSocket;
  /** Everything that was received. */
  readonly heard: string[];
  /** Code, reason and instant of the end. */
  readonly closed: Promise<{ code: number; reason: string; at: number }>;
}

/** Opens a socket, and waits for its first message. */
export async function connect(url: string, cookie: string): Promise<Client> {
  const socket = new WebSocket(url, { headers: { cookie } });
  const heard: string[] = [];
  socket.on("message", (data) => heard.push((data as Buffer).toString()));
  const closed = new Promise<{ code: number; reason: string; at: number }>((resolve) => {
    socket.on("close", (code, reason) =>
      resolve({ code, reason: reason.toString(), at: performance.now() }),
    );
  });
  await once(socket, "message");
  return { socket, heard, closed };
}

/** The answer to an upgrade that is refused. */
export async function refusal(url: string, cookie: string): Promise<IncomingMessage> {
  const socket = new WebSocket(url, { headers: { cookie } });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  socket.on("error", () => {});
  socket.terminate();
  return response;
}

/** A bus between the managers of this process. */
export function bus(): Signals {
  const listeners = new Map<object, [string, (text: string) => void]>();
  return {
    async send(topic, text) {
      for (const [its, hear] of listeners.values()) if (its === topic) hear(text);
    },
    listen(topic, { message, opened }) {
      const key = {};
      listeners.set(key, [topic, message]);
      queueMicrotask(opened);
      return () => void listeners.delete(key);
    },
  };
}
