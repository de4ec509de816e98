/** A client that shows what arrives, and when: HTTP/1.1, and HTTP/2 without TLS. */
import http from "node:http";
import http2 from "node:http2";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly cookie?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly agent?: http.Agent;
}

export interface Answer {
  readonly status: number;
  readonly message: string | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly cookies: readonly string[];
  readonly informational: readonly number[];
  readonly body: Buffer;
  readonly text: string;
}

/** An exchange under way. */
export interface Exchange {
  readonly answer: Promise<Answer>;
  /** Resolves with the headers. */
  readonly head: Promise<unknown>;
  /** Whether anything of the answer has arrived: bytes in HTTP/1.1, headers in HTTP/2. */
  readonly arrived: () => boolean;
  /** The body so far. */
  readonly soFar: () => string;
  readonly abort: () => void;
}

const headersOf = ({ cookie, headers }: Asked) => ({ ...(cookie ? { cookie } : {}), ...headers });

export function exchange1(origin: string, asked: Asked): Exchange {
  const request = http.request(`${origin}${asked.path ?? "/"}`, {
    method: asked.method ?? "GET",
    agent: asked.agent ?? false,
    headers: headersOf(asked),
  });
  const informational: number[] = [];
  let soFar = "";
  let before = 0;
  let arrived = false;
  request.on("information", ({ statusCode }) => informational.push(statusCode));
  request.on("socket", (socket) => {
    before = socket.bytesRead;
    socket.on("data", () => (arrived ||= socket.bytesRead > before));
  });
  const response = once(request, "response") as Promise<[http.IncomingMessage]>;
  const answer = response.then(async ([incoming]): Promise<Answer> => {
    incoming.on("data", (chunk: Buffer) => (soFar += chunk.toString()));
    const body = await buffer(incoming);
    return {
      status: incoming.statusCode ?? 0,
      message: incoming.statusMessage,
      headers: incoming.headers,
      cookies: incoming.headers["set-cookie"] ?? [],
      informational,
      body,
      text: body.toString(),
    };
  });
  request.end();
  return {
    answer,
    head: response,
    arrived: () => arrived,
    soFar: () => soFar,
    abort: () => request.destroy(),
  };
}

export function exchange2(origin: string, asked: Asked): Exchange {
  const session = http2.connect(origin);
  const stream = session.request({
    ":path": asked.path ?? "/",
    ":method": asked.method ?? "GET",
    ...headersOf(asked),
  });
  const informational: number[] = [];
  let soFar = "";
  let arrived = false;
  stream.on("headers", (headers) => informational.push(headers[":status"] ?? 0));
  const response = once(stream, "response") as Promise<
    [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
  >;
  const answer = response.then(async ([headers]): Promise<Answer> => {
    arrived = true;
    stream.on("data", (chunk: Buffer) => (soFar += chunk.toString()));
    const body = await buffer(stream);
    session.close();
    return {
      status: headers[":status"] ?? 0,
      message: undefined,
      headers,
      cookies: headers["set-cookie"] ?? [],
      informational,
      body,
      text: body.toString(),
    };
  });
  session.on("error", () => {});
  stream.end();
  return {
    answer,
    head: response,
    arrived: () => arrived,
    soFar: () => soFar,
    abort: () => session.destroy(),
  };
}

/** The `name=value` of a cookie that was set, to send it back. */
export function cookieOf(answer: Pick<Answer, "cookies">, name = "sid"): string | undefined {
  return answer.cookies.find((cookie) => cookie.startsWith(`${name}=`))?.split(";")[0];
}
