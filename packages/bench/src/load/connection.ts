/** One keep-alive connection of a browser: one request at a time, as fast as they are answered. */
import { connect } from "node:net";
import type { Socket } from "node:net";

/** What came back. */
export interface Answer {
  /** The values of its `Set-Cookie` fields. */
  readonly setCookie: readonly string[];
}

const GOOD = "HTTP/1.1 200 ";
const HEAD_END = "\r\n\r\n";
const LENGTH = /\r\ncontent-length: (\d+)/i;
const SET_COOKIE = /\r\nset-cookie: ([^\r]+)/gi;

/** A connection to a port of this machine. */
export class Connection {
  readonly #socket: Socket;
  #received = "";
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => this.#take(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("the server hung up")));
  }

  /** Sends a request, as text, and waits for the answer. @throws Error for any but 200 */
  ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request, "latin1");
    });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const head = this.#received.indexOf(HEAD_END);
    if (head < 0) return;
    const length = LENGTH.exec(this.#received)?.[1];
    if (this.#received.length < head + HEAD_END.length + Number(length ?? 0)) return;
    const text = this.#received;
    this.#received = "";
    const waiting = this.#waiting;
    this.#waiting = null;
    const isGood = text.startsWith(GOOD) && length !== undefined;
    if (isGood) waiting?.resolve({ setCookie: setCookieIn(text) });
    else waiting?.reject(new Error(`the server answers ${text}`));
  }
}

function setCookieIn(text: string): readonly string[] {
  return Array.from(text.matchAll(SET_COOKIE), ([, value = ""]) => value);
}
