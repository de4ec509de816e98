/** What a test waits for: a rejection, and a check that holds at last. */

/** What a promise rejects with; the promise must reject. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
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
