/** A source that can be left while it does not answer. */
import type { SnapshotSource } from "./types.ts";

type Chunk = Uint8Array | string;

/** What the source gives, until it ends or the signal says stop. @throws the reason of the signal */
export async function* untilAborted(
  source: SnapshotSource,
  signal: AbortSignal | undefined,
): AsyncIterable<Chunk> {
  if (!signal) return yield* source;
  const chunks: AsyncIterator<Chunk> = source[Symbol.asyncIterator]();
  let stop: (() => void) | undefined;
  const onAbort = (): void => stop?.();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const aborted = new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason);
      });
      const next = await Promise.race([chunks.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    leave(source, chunks);
  }
}

/** Not waited for: a source that does not answer would not answer this either. */
function leave(source: SnapshotSource, chunks: AsyncIterator<Chunk>): void {
  if ("destroy" in source && typeof source.destroy === "function") source.destroy();
  void Promise.resolve(chunks.return?.()).catch(() => {});
}
