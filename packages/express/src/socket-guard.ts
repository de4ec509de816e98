/** Keeps the connection for an answer that is still held back. */
import type { Socket } from "node:net";

/**
 * A handler that answers and then throws: Express (finalhandler) sees headers that left and cuts
 * the connection. The answer is only held, so the cut waits until it is out. Where the other side
 * is gone, or the connection broke, nothing waits.
 */
export class SocketGuard {
  readonly #socket: Socket;
  readonly #below: Socket["destroy"];
  readonly #ours: Socket["destroy"];
  #isCut = false;

  /** Guards from now on. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#below = Reflect.get(socket, "destroy");
    this.#ours = (error) => this.#destroy(error);
    socket.destroy = this.#ours;
  }

  /** Guards no longer. */
  lift(): void {
    if (Reflect.get(this.#socket, "destroy") === this.#ours) this.#socket.destroy = this.#below;
  }

  /** Cuts the connection now, behind everything written to it, if it was to be cut. */
  cutIfAsked(): void {
    if (this.#isCut) this.#socket.destroySoon();
  }

  #destroy(error: Error | undefined): Socket {
    if (error || this.#socket.readableEnded) return this.#below.call(this.#socket, error);
    this.#isCut = true;
    return this.#socket;
  }
}
