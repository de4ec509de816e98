/** The errors that Node would throw, for calls on an answer that only looks sent. */
import type { HoldableResponse } from "./holdable.ts";
import { hasStatusMessage } from "./holdable.ts";

const VERBS: Record<string, string> = {
  writeHead: "write",
  setHeader: "set",
  setHeaders: "set",
  appendHeader: "append",
  removeHeader: "remove",
};

/** ERR_HTTP_HEADERS_SENT, or ERR_HTTP2_HEADERS_SENT, of the method. */
export function headersSentError(response: HoldableResponse, method: string): Error {
  return hasStatusMessage(response)
    ? coded(
        new Error(`Cannot ${VERBS[method]} headers after they are sent to the client`),
        "ERR_HTTP_HEADERS_SENT",
      )
    : coded(new Error("Response has already been initiated."), "ERR_HTTP2_HEADERS_SENT");
}

/** @throws ERR_HTTP_INVALID_STATUS_CODE unless Node would send this status. */
export function checkStatus(status: unknown): void {
  const code = Number(status) | 0;
  if (code >= 100 && code <= 999) return;
  throw coded(
    new RangeError(`Invalid status code: ${String(status)}`),
    "ERR_HTTP_INVALID_STATUS_CODE",
  );
}

/** @throws ERR_INVALID_ARG_TYPE or ERR_STREAM_NULL_VALUES unless Node would write this chunk. */
export function checkChunk(chunk: unknown): void {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return;
  if (chunk === null) {
    throw coded(new TypeError("May not write null values to stream"), "ERR_STREAM_NULL_VALUES");
  }
  const message = `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${typeof chunk}`;
  throw coded(new TypeError(message), "ERR_INVALID_ARG_TYPE");
}

function coded(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
