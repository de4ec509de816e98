/** The requests and responses that the middleware serves, and `req.session` of Express. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Session } from "@sojourn/core";

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- how Express types are extended
  namespace Express {
    interface Request {
      /** The session of this request; undefined where `skip` said so. */
      session: Session;
    }
  }
}

/** A request of Express 4 or 5, of `node:http`, or of `node:http2`'s compatibility API. */
export type SessionRequest = IncomingMessage | Http2ServerRequest;

/** The answer to it. */
export type SessionResponse = ServerResponse | Http2ServerResponse;
