/** A browser's part: a cookie jar, and requests over real sockets. */
import http from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** An answer as it arrived. */
export interface Received {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Values of the `Set-Cookie` headers. */
  readonly cookies: readonly string[];
  readonly text: string;
  /** The body, where it is a JSON object; else empty. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What differs from the usual request. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of what the jar holds. */
  readonly cookie?: string;
  readonly signal?: AbortSignal;
  /** Called when the head of the answer arrives. */
  readonly onHead?: () => void;
}

/** How a client reaches the server. */
export interface Reach {
  readonly userAgent?: string;
  /** The address that it comes from, of the loopback network. */
  readonly from?: string;
}

/** One browser. */
export class Client {
  /** Cookies by name. */
  readonly jar = new Map<string, string>();
  url: string;
  readonly #reach: Reach;

  constructor(url: string, reach: Reach = {}) {
    this.url = url;
    this.#reach = reach;
  }

  /** What it would send as `Cookie`. */
  get cookie(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Another browser that holds the same cookies: a thief, or a second tab with an old page. */
  copy(reach: Reach = this.#reach): Client {
    const other = new Client(this.url, reach);
    for (const [name, value] of this.jar) other.jar.set(name, value);
    return other;
  }

  get(path: string, asked: Asked = {}): Promise<Received> {
    return this.ask(path, asked);
  }

  post(path: string, asked: Asked = {}): Promise<Received> {
    return this.ask(path, { method: "POST", ...asked });
  }

  async ask(path: string, asked: Asked): Promise<Received> {
    const { method = "GET", headers = {}, cookie = this.cookie, signal, onHead } = asked;
    const { userAgent, from } = this.#reach;
    const request = http.request(new URL(path, this.url), {
      method,
      agent,
      ...(signal === undefined ? {} : { signal }),
      ...(from === undefined ? {} : { localAddress: from }),
      headers: {
        ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
        ...(cookie === "" ? {} : { cookie }),
        ...headers,
      },
    });
    request.end();
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    onHead?.();
    const body = await text(response);
    const cookies = response.headers["set-cookie"] ?? [];
    for (const line of cookies) this.#keep(line);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      cookies,
      text: body,
      body: jsonOf(response, body),
    };
  }

  #keep(line: string): void {
    const [pair = "", ...attributes] = line.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    if (attributes.includes("Max-Age=0")) this.jar.delete(name);
    else this.jar.set(name, pair.slice(name.length + 1));
  }
}

function jsonOf(response: http.IncomingMessage, body: string): Record<string, unknown> {
  const isJson = response.headers["content-type"]?.includes("application/json") ?? false;
  const value: unknown = isJson && body !== "" ? JSON.parse(body) : null;
  return typeof value === "object" && value !== null ? { ...value } : {};
}
