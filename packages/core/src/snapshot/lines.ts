/** Bytes to lines, never more of them in memory than one chunk and one line. */
import { LONGEST_SEGMENT } from "./format.ts";
import { refused } from "./refused.ts";
import type { SnapshotSource } from "./types.ts";

/**
 * The lines of each chunk, without their ends. `read` is told how many bytes came. Bytes that are no text
 * become characters that no line of ours has. @throws SOJOURN_SNAPSHOT_INVALID
 */
export async function* linesOf(
  source: SnapshotSource,
  read: (bytes: number) => void,
): AsyncIterable<readonly string[]> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  let count = 0;
  for await (const chunk of source) {
    read(chunk.length);
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    lines[0] = rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    count += lines.length;
    if (lines.length > 0) yield lines;
    if (rest.length > LONGEST_SEGMENT) throw refused("too-large", count + 1);
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
