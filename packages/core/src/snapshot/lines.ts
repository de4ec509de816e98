/** Bytes to lines, never more of them in memory than one chunk and one line. */
import { LONGEST_SEGMENT } from "./format.ts";
import { refused } from "./refused.ts";
import type { SnapshotSource } from "./types.ts";

/** The lines of each chunk, without their ends. `read` is told how many bytes came. @throws SOJOURN_SNAPSHOT_INVALID */
export async function* linesOf(
  source: SnapshotSource,
  read: (bytes: number) => void,
): AsyncIterable<readonly string[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let count = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      throw refused(count === 0 ? "not-a-snapshot" : "damaged", count + 1);
    }
  };
  for await (const chunk of source) {
    read(chunk.length);
    const lines = (typeof chunk === "string" ? chunk : decode(chunk)).split("\n");
    lines[0] = rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_SEGMENT) throw refused("too-large", count + lines.length + 1);
    count += lines.length;
    if (lines.length > 0) yield lines;
  }
  rest += decode();
  if (rest !== "") yield [rest];
}
