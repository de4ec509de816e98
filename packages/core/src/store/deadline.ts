/** A wait that ends. */

/** Rejects with `tooLate` when `answer` has not settled in time. */
export async function withDeadline<T>(
  answer: Promise<T>,
  withinMs: number,
  tooLate: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), withinMs);
  });
  try {
    return await Promise.race([answer, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
