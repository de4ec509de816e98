/** Work that must be over by a deadline. */

/**
 * Rejects after `ms` with an error named TimeoutError, and with whatever the work rejects with. The
 * work is told by the signal; what it does after that is not heard any more.
 */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const tooLate = (): void => {
      const error = new Error(`not over after ${Math.round(Math.max(0, ms))} ms`);
      error.name = "TimeoutError";
      reject(error);
      over.abort(error);
    };
    timer = setTimeout(tooLate, Math.max(0, ms));
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
