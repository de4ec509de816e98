import type { Clock, SessionOptions } from "@sojourn/core";

/** What the variables say. */
export interface Settings {
  readonly production: boolean;
  readonly host: string;
  readonly port: number | undefined;
  /** Addresses of proxies to believe. */
  readonly trustProxy: string | false;
  readonly dataDir: string;
  readonly storeName: "memory" | "file" | "redis" | "postgres";
}
export declare function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Settings;
export declare function sessionOptions(
  settings: Settings,
  options?: { readonly clock?: Clock },
): Promise<SessionOptions>;
