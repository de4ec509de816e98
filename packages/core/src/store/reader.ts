/** Makes something of a store's answer. The call tells it directly: `then` would make another promise. */

/** Makes something of an answer. */
export interface Reader<A, T> {
  answered(answer: A): T | Promise<T>;
  /** May throw what it is given. */
  failed(error: unknown): T | Promise<T>;
}

/** What a reader makes of an answer that comes later. */
export function readBy<A, T>(reader: Reader<A, T>, answer: Promise<A>): Promise<T> {
  return answer.then(
    (told) => reader.answered(told),
    (error: unknown) => reader.failed(error),
  );
}

/** A reader that takes an answer as it is. */
export function takesAll<T>(): Reader<T, T> {
  return AS_IT_IS as Reader<T, T>;
}

const AS_IT_IS: Reader<unknown, unknown> = {
  answered: (answer) => answer,
  failed(error) {
    throw error;
  },
};
