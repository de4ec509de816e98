/** Turns checked options and the environment into the settings that everything inside works with. */
import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import { type CookieSpecs, cookieSpecs } from "../cookie/spec.ts";
import { SojournError } from "../errors.ts";
import type { Logger } from "../events.ts";
import { memoryStore } from "../store/memory/store.ts";
import type { Store } from "../store/contract.ts";
import { KeyRing, MIN_SECRET_LENGTH } from "../keys/key-ring.ts";
import { Sealing } from "../keys/sealing.ts";
import { Signing } from "../keys/signing.ts";
import type { PayloadSealing } from "../session/payload.ts";
import { randomSecret, type SecretGenerator } from "../token/token.ts";
import { checkOptions, type CheckedOptions } from "./schema.ts";
import type { SessionOptions } from "./types.ts";

/** Plain, typed, complete: no option is looked up anywhere else. Durations in ms. */
export interface Settings extends Pick<
  CheckedOptions,
  | "idle"
  | "absolute"
  | "touchAfter"
  | "max"
  | "onLimit"
  | "principal"
  | "privileges"
  | "schema"
  | "namespace"
  | "onStoreError"
  | "onIdle"
  | "binding"
  | "metrics"
  | "audit"
  | "preset"
  | "justification"
  | "breaker"
> {
  /** The keys of the option `secret`. */
  readonly ring: KeyRing;
  /** Signs and verifies the cookie. */
  readonly signing: Signing;
  /** Signs and verifies anti-forgery tokens. */
  readonly csrf: Signing;
  /** Signs and verifies the device cookie; null: there is none. */
  readonly deviceSigning: Signing | null;
  /** Value of the header after a logout, or null. */
  readonly clearSiteData: string | null;
  readonly encryption: PayloadSealing | null;
  readonly cookies: CookieSpecs;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly graceMs: number;
  readonly storeDeadlineMs: number;
  readonly staleForMs: number;
  /** The kind under which this manager's records are stored. */
  readonly kind: string;
  readonly generateSecret: SecretGenerator;
  /** Warns through the logger, else as a process warning; each topic once. */
  readonly warnOnce: (topic: string, message: string) => void;
}

/** @throws SOJOURN_OPTIONS_INVALID */
export function resolveSettings(given: SessionOptions = {}): Settings {
  const checked = checkOptions(given);
  const isProduction = process.env["NODE_ENV"] === "production";
  const logger = checked.logger === false ? undefined : checked.logger;
  const warnOnce = createWarnOnce(logger, checked.logger === false);
  const ring = checked.secret ?? environmentSecrets() ?? generatedSecret(isProduction, warnOnce);
  const store = checked.store ?? defaultStore(checked.clock, isProduction, warnOnce);
  if (ring.hasWeakKey) {
    warnOnce(
      "weak-secret",
      "a secret has so few different characters that it can be guessed: make one with: openssl rand -base64 32",
    );
  }
  if (checked.cookie.httpOnly === false) {
    warnOnce(
      "http-only",
      "cookie.httpOnly is false: scripts of the page, also injected ones, can read the session token (ASVS 3.3.4)",
    );
  }
  return {
    ...checked,
    ring,
    signing: new Signing(ring, "cookie"),
    csrf: new Signing(ring, "csrf"),
    deviceSigning: checked.deviceCookie ? new Signing(ring, "device") : null,
    clearSiteData: clearSiteDataHeader(checked.clearSiteData),
    encryption: encryptionOf(checked, ring),
    cookies: cookieSpecs(checked.cookie, isProduction ? true : "auto"),
    store,
    clock: checked.clock ?? store.clock ?? systemClock,
    logger,
    graceMs: checked.grace,
    storeDeadlineMs: checked.storeDeadline,
    staleForMs: checked.staleFor,
    kind: checked.namespace === "" ? "session" : `session:${checked.namespace}`,
    generateSecret: checked.generateSecret ?? randomSecret,
    warnOnce,
  };
}

function clearSiteDataHeader(asked: CheckedOptions["clearSiteData"]): string | null {
  if (asked === false) return null;
  const types = asked === true ? ["cookies", "storage"] : asked;
  return types.map((type) => `"${type}"`).join(", ");
}

/** Data of so many characters is worth compressing. */
const COMPRESS_FROM = 1_024;

function encryptionOf({ encryption }: CheckedOptions, ring: KeyRing): PayloadSealing | null {
  if (encryption === false) return null;
  const {
    keys = ring,
    compress = false,
    acceptPlain = false,
  } = encryption === true ? {} : encryption;
  const compressFrom = compress ? COMPRESS_FROM : null;
  return { sealing: new Sealing({ ring: keys, purpose: "payload", compressFrom }), acceptPlain };
}

function environmentSecrets(): KeyRing | undefined {
  const value = process.env["SESSION_SECRET"];
  if (value === undefined || value === "") return undefined;
  const secrets = value.split(",").map((secret) => secret.trim());
  const [newest, ...older] = secrets;
  if (newest !== undefined && secrets.every((secret) => secret.length >= MIN_SECRET_LENGTH))
    return new KeyRing([newest, ...older]);
  throw new SojournError(
    "SOJOURN_OPTIONS_INVALID",
    `the environment variable SESSION_SECRET must hold secrets of at least ${MIN_SECRET_LENGTH} characters, separated by commas; it holds ${secrets.length} of lengths ${secrets.map((secret) => secret.length).join(", ")}. Make one with: openssl rand -base64 32`,
  );
}

function generatedSecret(isProduction: boolean, warnOnce: Settings["warnOnce"]): KeyRing {
  if (isProduction) {
    throw new SojournError(
      "SOJOURN_OPTIONS_INVALID",
      "no secret: set the option secret or the environment variable SESSION_SECRET (make one with: openssl rand -base64 32). Without a lasting secret every restart would log everyone out",
      { details: { problems: ["secret: is missing"] } },
    );
  }
  warnOnce(
    "secret",
    "no secret is set (option secret, or SESSION_SECRET): one was made up for this process, so a restart logs everyone out. In production this is an error",
  );
  return new KeyRing([randomBytes(32)]);
}

function defaultStore(
  clock: Clock | undefined,
  isProduction: boolean,
  warnOnce: Settings["warnOnce"],
): Store {
  if (isProduction) {
    warnOnce(
      "store",
      "sessions are kept in the memory of this process: a restart logs everyone out, and other processes do not see them. Give the option store, for example fileStore({ path })",
    );
  }
  return memoryStore(clock ? { clock } : {});
}

function createWarnOnce(logger: Logger | undefined, isSilent: boolean): Settings["warnOnce"] {
  const told = new Set<string>();
  return (topic, message) => {
    if (told.has(topic) || isSilent) return;
    told.add(topic);
    if (logger) logger.warn({ topic }, `sojourn: ${message}`);
    else
      process.emitWarning(message, {
        type: "SojournWarning",
        code: `SOJOURN_${topic.toUpperCase().replaceAll("-", "_")}`,
      });
  };
}
