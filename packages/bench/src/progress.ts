/** Tells on stderr what is going on, so that the results on stdout stay by themselves. */

/** Tells. */
export type Progress = (what: string) => void;

/** With the minutes and seconds since the beginning. */
export function progressOn(stream: { write(text: string): unknown }): Progress {
  const startedAt = performance.now();
  return (what) => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    stream.write(`${clock}  ${what}\n`);
  };
}
