/** The streams that a snapshot goes to and comes from: slow, failing, stopped, of Node and of the Web. */
import { once } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock } from "../support/clock.ts";
import { failure, must, range, world } from "../support/world.ts";
import {
  chunked,
  contents,
  exported,
  fill,
  imported,
  inOrder,
  sessionRecord,
  Sink,
  snapshotWith,
} from "./support.ts";

const clock = fakeClock();

/** A stream that takes so many chunks, and then fails. */
function failing(after: number): Writable & { taken: number } {
  const stream = Object.assign(
    new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        stream.taken += 1;
        done(
          stream.taken > after
            ? Object.assign(new Error("no space left"), { code: "ENOSPC" })
            : null,
        );
      },
    }),
    { taken: 0 },
  );
  return stream;
}

describe("[A-19] streams of every sort", () => {
  test("[A-19] from a Node stream through a pipe into another store", async () => {
    const from = world({ clock });
    const records = await fill(from.store, 1_200);
    const to = world({ clock });
    const pipe = new PassThrough();
    const [out, into] = await Promise.all([from.sessions.export(pipe), to.sessions.import(pipe)]);
    expect([out.exported, into.restored]).toEqual([1_200, 1_200]);
    expect(into.snapshot).toBe(out.snapshot);
    expect(await contents(to.store)).toEqual(inOrder(records));
  });

  test("[A-19] streams of the Web, both ways", async () => {
    const from = world({ clock });
    const records = await fill(from.store, 700);
    const to = world({ clock });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const [out, into] = await Promise.all([
      from.sessions.export(writable),
      to.sessions.import(readable),
    ]);
    expect([out.exported, into.restored]).toEqual([700, 700]);
    expect(await contents(to.store)).toEqual(inOrder(records));
  });

  test("[A-19] the target is ended when the snapshot is complete", async () => {
    const sink = new Sink();
    const finished = once(sink, "finish");
    await world({ clock }).sessions.export(sink);
    await finished;
    expect(sink.writableFinished).toBe(true);
  });
});

describe("[A-01] a target", () => {
  test("[A-01] that is slow is waited for: never more than two segments ahead of it", async () => {
    const { store, sessions } = world({ clock });
    await fill(store, 3_000);
    let told = 0;
    let most = 0;
    let taken = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        most = Math.max(most, told - taken);
        taken += 1;
        setTimeout(done, 2);
      },
    });
    await sessions.export(slow, { onProgress: () => (told += 1) });
    expect(taken).toBe(8);
    expect(most).toBeLessThanOrEqual(2);
  });

  test("[A-11] that is full fails the export with its own error; nothing is told of as exported", async () => {
    const { store, sessions, told } = world({ clock });
    await fill(store, 3_000);
    const target = failing(2);
    await expect(sessions.export(target)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(target.taken).toBe(3);
    expect(target.destroyed).toBe(true);
    expect(told("exported")).toEqual([]);
  });

  test("[A-01] that was closed before fails at once", async () => {
    const target = new PassThrough();
    target.destroy();
    const code: unknown = expect.stringMatching(/^ERR_STREAM/);
    await expect(world({ clock }).sessions.export(target)).rejects.toMatchObject({ code });
  });

  test("[A-01] an abort stops an export that its target holds up, and destroys the target", async () => {
    const { store, sessions, told } = world({ clock });
    await fill(store, 2_000);
    const stuck = new Writable({ highWaterMark: 1, write() {} });
    const stop = new AbortController();
    const work = sessions.export(stuck, { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect(stuck.destroyed).toBe(true);
    expect(told("exported")).toEqual([]);
  });

  test("[A-01] an abort stops an export whose store does not answer any more", async () => {
    const inner = memoryStore({ clock });
    await fill(inner, 3);
    const store: Store = {
      ...inner,
      async *scan(kind) {
        for await (const record of inner.scan(kind)) {
          yield record;
          await new Promise(() => {});
        }
      },
    };
    const { sessions, told } = world({ clock, store });
    const sink = new Sink();
    const work = sessions.export(sink, { signal: AbortSignal.timeout(20) });
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect([sink.destroyed, sink.writableFinished]).toEqual([true, false]);
    expect(told("exported")).toEqual([]);
  });

  test("[A-01] a store that fails while it is read fails the export, and the target is not ended well", async () => {
    const inner = memoryStore({ clock });
    await fill(inner, 600);
    const store: Store = {
      ...inner,
      async *scan(kind) {
        let left = 550;
        for await (const record of inner.scan(kind)) {
          if (left === 0) throw new Error("the connection was lost");
          left -= 1;
          yield record;
        }
      },
    };
    const { sessions, told } = world({ clock, store });
    const sink = new Sink();
    await expect(sessions.export(sink)).rejects.toThrow("the connection was lost");
    expect(sink.writableFinished).toBe(false);
    expect(told("exported")).toEqual([]);
    const error = await failure(imported(world({ clock }).sessions, sink.text));
    expect(error.details).toMatchObject({ reason: "truncated" });
  });
});

describe("[A-05] a source", () => {
  const records = range(1_300).map(() => sessionRecord(clock));
  const snapshot = snapshotWith(records);

  test("[A-05] that fails in the middle fails the import with its own error; the import can be repeated", async () => {
    const { sessions, store, told } = world({ clock });
    async function* torn(): AsyncIterable<Uint8Array> {
      yield snapshot.subarray(0, Math.floor(snapshot.length * 0.6));
      throw new Error("connection reset");
    }
    await expect(sessions.import(torn())).rejects.toThrow("connection reset");
    expect(await contents(store)).toHaveLength(500);
    expect(told("restored")).toEqual([]);
    const result = await imported(sessions, snapshot);
    expect(result).toMatchObject({ restored: 800, skipped: { duplicate: 500 } });
    expect(await contents(store)).toEqual(inOrder(records));
  });

  test("[A-05] an abort between two batches: what was restored stays, and no more comes", async () => {
    const { sessions, store } = world({ clock });
    const stop = new AbortController();
    const work = imported(sessions, snapshot, {
      batchSize: 50,
      signal: stop.signal,
      onProgress({ records: restored }) {
        if (restored === 150) stop.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect(await contents(store)).toHaveLength(150);
  });

  test.for(["a generator", "a Node stream", "a Web stream"])(
    "[A-05] an abort while %s gives nothing more: the import ends",
    async (which) => {
      const { sessions } = world({ clock });
      async function* silent(): AsyncGenerator<Uint8Array> {
        yield snapshot.subarray(0, 100);
        await new Promise(() => {});
      }
      const node = new PassThrough();
      node.write(snapshot.subarray(0, 100));
      const source =
        which === "a generator"
          ? silent()
          : which === "a Node stream"
            ? node
            : Readable.toWeb(node);
      const stop = new AbortController();
      const work = sessions.import(source as AsyncIterable<Uint8Array>, { signal: stop.signal });
      setTimeout(() => stop.abort(new Error("the time is up")), 5);
      await expect(work).rejects.toThrow("the time is up");
      if (which === "a Node stream") expect(node.destroyed).toBe(true);
    },
  );

  test("[A-05] a signal that was aborted before: nothing is read", async () => {
    const { sessions } = world({ clock });
    const source = chunked(snapshot);
    const work = sessions.import(source, { signal: AbortSignal.abort() });
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect(source.readableDidRead).toBe(false);
  });

  test("[A-05] a signal that outlives many imports keeps nothing of them", async () => {
    const { sessions } = world({ clock });
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, name) {
        if (name === "addEventListener") listeners += 1;
        if (name === "removeEventListener") listeners -= 1;
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    for (let run = 0; run < 5; run++) await imported(sessions, snapshot, { signal: counted });
    expect(listeners).toBe(0);
  });
});

test("[A-19] a file may be the source and the target, and its first bytes are the header", async () => {
  const { store, sessions } = world({ clock });
  await fill(store, 3);
  const { bytes } = await exported(sessions);
  expect(bytes.subarray(0, 34).toString()).toBe('{"snapshot":"sojourn","version":1,');
  expect(must(bytes.at(-1))).toBe(10);
});
