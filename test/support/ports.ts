/** Ports for the servers of a test. */
import { createServer } from "node:net";

/** Below the ports that the system gives to outgoing connections: free again after a kill. */
const PORTS = { from: 12_000, to: 32_000 };

/** A port that is free, with the next ones where more are wanted. */
export async function freePort(ports: number = 1): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from - ports));
    const wanted = Array.from({ length: ports }, (_, index) => isFree(port + index));
    if ((await Promise.all(wanted)).every(Boolean)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return free;
}
