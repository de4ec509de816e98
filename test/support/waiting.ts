/** What a test waits for: an outcome, a rejection, and a check that holds at last. */

/** What it came to: the answer, or the code of the error. */
export async function outcome<T>(asked: T | Promise<T>): Promise<T | string> {
  try {
    return await asked;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

/** What an answer rejects with; it must be a promise that rejects. */
export async function rejection(answer: unknown): Promise<unknown> {
  const came = await Promise.resolve(answer).then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in came) return came.error;
  throw new Error("expected a rejection");
}

/** Waits until a check holds. */
export async function eventually(check: () => Promise<boolean>, within = 10_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
