/**
 * T-LOG over the whole suite: every token that any test mints or presents is known here, and may turn up in no
 * log, event, audit entry, error or stored record of it. Set up for each test file.
 */
import crypto from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import { syncBuiltinESMExports } from "node:module";
import { inspect } from "node:util";
import { afterEach } from "vitest";

/** A token, and what could be its secret part anywhere else. */
const TOKEN = /^[\w-]{2}[AQgw]\.([\w-]{43})$/;
const SECRET = /(?<![\w-])[\w-]{43}(?![\w-])/g;
const DEEP = { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null };

const secrets = new Set<string>();
const leaks = new Set<string>();
/** Errors are looked at once they are complete. */
let thrown: Error[] = [];

function look(place: string, ...things: readonly unknown[]): void {
  for (const thing of things) {
    const text = typeof thing === "string" ? thing : inspect(thing, DEEP);
    for (const [found] of text.matchAll(SECRET)) if (secrets.has(found)) leaks.add(place);
  }
}

/** Every token passes here on its way to the key of its record. */
function learnTokens(): void {
  const { hash } = crypto;
  crypto.hash = ((...given: Parameters<typeof hash>) => {
    const [, text] = given;
    const secret = typeof text === "string" ? TOKEN.exec(text)?.[1] : undefined;
    if (secret !== undefined) secrets.add(secret);
    return hash(...given);
  }) as typeof hash;
  syncBuiltinESMExports();
}

function watchErrors(): void {
  globalThis.Error = new Proxy(Error, {
    construct(target, given, newTarget) {
      const error = Reflect.construct(target, given, newTarget) as Error;
      if (thrown.length < 1_000) thrown.push(error);
      return error;
    },
  });
}

function watchOutput(): void {
  for (const name of ["log", "info", "warn", "error", "debug"] as const) {
    const write = console[name].bind(console);
    console[name] = (...given: unknown[]) => {
      look(`console.${name}`, ...given);
      write(...given);
    };
  }
  process.on("warning", (warning) => look("a process warning", warning));
  for (const name of ["sojourn:session", "sojourn:audit"])
    subscribe(name, (message) => look(name, textOf(message)));
}

/** As JSON; what a hostile store answers may hold what has none. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === "bigint" ? String(each) : each,
  );
}

async function watchStores(): Promise<void> {
  const { RecordTable } = await import("@sojourn/core/store");
  for (const name of ["create", "update", "replace", "adopt"] as const) {
    const table = RecordTable.prototype as unknown as Record<
      string,
      (...given: unknown[]) => unknown
    >;
    const act = table[name];
    table[name] = function watched(this: unknown, ...given: unknown[]): unknown {
      look(`the store's ${name}`, textOf(given));
      return Reflect.apply(act as never, this, given);
    };
  }
}

/** The places that were found; they are forgotten. */
function takeLeaks(): string[] {
  look("an error", ...thrown.filter(({ name }) => name === "SojournError"));
  thrown = [];
  const found = [...leaks];
  leaks.clear();
  return found;
}

Object.assign(globalThis, { takeLeaks });
learnTokens();
watchErrors();
watchOutput();
await watchStores();

afterEach(() => {
  const found = takeLeaks();
  if (found.length > 0) throw new Error(`a token turned up in ${found.join(", ")}`);
});
