/** What is used of a response: any part may be missing (ws passes `{}`, socket.io five functions). */

import type { Socket } from "node:net";

/** `http.ServerResponse`, `http2.Http2ServerResponse`, or less. */
export interface HoldableResponse {
  statusCode?: number;
  statusMessage?: string;
  readonly writableEnded?: boolean;
  readonly headersSent?: boolean;
  readonly socket?: Socket | null;
  writeHead?(...args: unknown[]): unknown;
  write?(...args: unknown[]): unknown;
  end?(...args: unknown[]): unknown;
  flushHeaders?(...args: unknown[]): unknown;
  getHeader?(name: string): number | string | string[] | undefined;
  getHeaderNames?(): string[];
  setHeader?(name: string, value: unknown): unknown;
  removeHeader?(name: string): unknown;
  once?(event: string, listener: () => void): unknown;
  emit?(event: string, ...args: unknown[]): boolean;
}

/** The functions that make headers leave. */
export type Sender = "writeHead" | "write" | "end" | "flushHeaders";

/** {@link Sender} as a list. */
export const SENDERS: readonly Sender[] = ["writeHead", "write", "end", "flushHeaders"];

/** HTTP/2 knows no status message, and Node warns whoever touches it. */
export function hasStatusMessage(response: HoldableResponse): boolean {
  return !("stream" in response);
}
