/** Managers with a clock that stands still, each on a store of some kind in a place of its own. */
import { PassThrough } from "node:stream";
import { createSessionManager } from "@sojourn/core";
import type {
  ExportOptions,
  ImportOptions,
  ImportResult,
  LoginOptions,
  SessionManager,
  SessionOptions,
} from "@sojourn/core";
import type { Store } from "@sojourn/core/store";
import { onTestFinished } from "vitest";
import { Browser } from "../../packages/core/test/support/browser.ts";
import { type FakeClock, fakeClock } from "../../packages/core/test/support/clock.ts";
import type { StoreKind } from "../scenarios/stores.ts";

export const SECRET = "a secret of the snapshot tests, long enough";

/** A manager with its store, and where that keeps things. */
export interface Opened extends SessionManager {
  readonly clock: FakeClock;
  readonly store: Store;
  bytes(): Promise<string>;
  /** A browser that is logged in, or not. */
  visitor(user?: string, login?: LoginOptions): Promise<Browser>;
}

/** Opens an empty store of that kind; closed and removed after the test. */
export async function opened(
  kind: StoreKind,
  options: SessionOptions & { clock?: FakeClock } = {},
): Promise<Opened> {
  const clock = options.clock ?? fakeClock();
  const place = await kind.place(clock);
  const store = await place.open();
  const its = { secret: SECRET, logger: false, storeDeadline: "20s", ...options } as const;
  const manager = createSessionManager({ ...its, clock, store });
  onTestFinished(async () => {
    await manager.sessions.close();
    await place.remove();
  });
  return {
    ...manager,
    clock,
    store,
    bytes: () => place.bytes(),
    async visitor(user, login) {
      const browser = new Browser({ pipeline: manager.pipeline, clock });
      await browser.visit(async (session) => {
        session.cart = ["milk"];
        if (user !== undefined) await session.login(user, login);
      });
      return browser;
    },
  };
}

/** What a manager exports now. */
export async function snapshotOf(
  { sessions }: Pick<Opened, "sessions">,
  options?: ExportOptions,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = new PassThrough();
  sink.on("data", (chunk: Buffer) => chunks.push(chunk));
  await sessions.export(sink, options);
  return Buffer.concat(chunks);
}

/** Imports what was exported. */
export function restore(
  { sessions }: Pick<Opened, "sessions">,
  snapshot: Buffer,
  options?: ImportOptions,
): Promise<ImportResult> {
  async function* once(): AsyncIterable<Uint8Array> {
    yield snapshot;
  }
  return sessions.import(once(), options);
}
