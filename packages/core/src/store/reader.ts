/** Makes something of a store's answer. The call tells it directly: `then` would make another promise. */
export interface Reader<A, T> {
  /** Told in the async context of whoever called. Failures are the call's own. */
  answered(answer: A): T | Promise<T>;
}

/** A reader that takes an answer as it is. */
export function takesAll<T>(): Reader<T, T> {
  return AS_IT_IS as Reader<T, T>;
}

const AS_IT_IS: Reader<unknown, unknown> = { answered: (answer) => answer };
