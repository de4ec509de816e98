/** A round-robin proxy: each request goes to the next process; one that is not there is passed over. */
import { createServer, request } from "node:http";
import { connect } from "node:net";

/** Headers for one hop only (RFC 9110 7.6.1), and what the proxy itself says. */
const OWN_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

/** An HTTP server in front of `targets`, each `{ host, port }`. */
export function createProxy(targets) {
  let turn = 0;
  const inTurn = () => {
    const first = turn++ % targets.length;
    return [...targets.slice(first), ...targets.slice(0, first)];
  };
  const server = createServer((incoming, answer) => forward(incoming, answer, inTurn()));
  server.on("upgrade", (incoming, socket, head) => tunnel({ incoming, socket, head }, inTurn()));
  return server;
}

/**
 * Sends a request to the first target; to the next one if nobody listens there, or if it went away
 * and the request only reads.
 */
function forward(incoming, answer, [target, ...others]) {
  if (!target) return answer.writeHead(502).end("No process of the application answers.\n");
  const { method, url: path } = incoming;
  const headers = headersOnward(incoming);
  const onward = request({ ...target, method, path, headers, agent: false });
  // Not before the connection stands: until then the body can go to another target.
  onward.once("socket", (socket) => socket.once("connect", () => send(incoming, onward)));
  onward.once("response", (response) => {
    answer.writeHead(response.statusCode, withoutOwn(response.headers));
    response.pipe(answer);
  });
  onward.on("error", (error) => {
    if (answer.headersSent || answer.closed) return answer.destroy();
    if (error.code === "ECONNREFUSED" || onlyReads(incoming))
      return forward(incoming, answer, others);
    answer.writeHead(502).end("The process of the application went away.\n");
  });
  answer.once("close", () => onward.destroy());
}

/** Joins the browser's connection with one to the target, which answers the upgrade itself. */
function tunnel(upgrade, [target, ...others]) {
  const { incoming, socket, head } = upgrade;
  if (!target) return socket.end("HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n");
  const onward = connect(target);
  onward.once("connect", () => {
    const { upgrade: protocol } = incoming.headers;
    const headers = { ...headersOnward(incoming), connection: "Upgrade", upgrade: protocol };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    onward.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join("")}\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  onward.on("error", ({ code }) => {
    if (code === "ECONNREFUSED") tunnel(upgrade, others);
    else socket.destroy();
  });
  socket.on("error", () => onward.destroy());
  socket.once("close", () => onward.destroy());
}

function send(incoming, onward) {
  if (incoming.readableEnded) onward.end();
  else incoming.pipe(onward);
}

/** May be sent twice (RFC 9110 9.2.2), and has no body that is gone by then. */
const onlyReads = ({ method, headers }) =>
  (method === "GET" || method === "HEAD") &&
  !("content-length" in headers || "transfer-encoding" in headers);

/** The proxy is the edge: whatever a client says of itself in these headers is replaced. */
function headersOnward({ headers, socket }) {
  const chunked = "transfer-encoding" in headers && { "transfer-encoding": "chunked" };
  const host = "host" in headers && { "x-forwarded-host": headers.host }; // HTTP/1.0 may have none
  return {
    ...withoutOwn(headers),
    ...chunked,
    ...host,
    "x-forwarded-for": socket.remoteAddress,
    "x-forwarded-proto": "http",
  };
}

function withoutOwn(headers) {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const dropped = new Set([...OWN_HEADERS, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
