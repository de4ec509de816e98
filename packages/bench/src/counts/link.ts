/** A link to a server that counts: how many commands pass it, and how many times somebody waits for its answer. */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** So long what clients send is held, in ms: what is sent together counts as one round trip. */
const HOLD = 5;
/** So long nothing passes when all is over, in ms. */
const QUIET = 200;
/** The beginning of a command of Redis, which is an array; what is in it begins with `$`. */
const COMMAND = /^\*\d+\r\n\$/gm;

/** What passed. */
export interface Traffic {
  readonly commands: number;
  readonly roundTrips: number;
}

/** A link; clients connect to its port. */
export interface Link {
  readonly port: number;
  /** Forgets what it counted, once nothing has passed for a while: messages between processes are sent a little later. */
  restart(): Promise<void>;
  /** What was asked of the server since, once nothing has passed for a while. Only of Redis it tells commands. */
  traffic(): Promise<Traffic>;
  close(): void;
}

/** Opens a link to a port of this machine. */
export async function openLink(to: number): Promise<Link> {
  const counted = { commands: 0, roundTrips: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ port: to, host: "127.0.0.1", noDelay: true });
    for (const socket of [client.setNoDelay(true), upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    hold(client, (sent) => {
      counted.roundTrips += 1;
      counted.commands += sent.toString("latin1").match(COMMAND)?.length ?? 0;
      upstream.write(sent);
    });
    upstream.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async restart() {
      await quiet(counted);
      Object.assign(counted, { commands: 0, roundTrips: 0 });
    },
    async traffic() {
      await quiet(counted);
      return { ...counted };
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function quiet(counted: Traffic): Promise<void> {
  for (let before = -1; before !== counted.roundTrips;) {
    before = counted.roundTrips;
    await pause(QUIET);
  }
}

/** Passes on what a socket receives, put together. */
function hold(socket: Socket, passOn: (chunk: Buffer) => void): void {
  let held: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => {
    held.push(chunk);
    if (held.length > 1) return;
    setTimeout(() => {
      passOn(Buffer.concat(held));
      held = [];
    }, HOLD);
  });
}
