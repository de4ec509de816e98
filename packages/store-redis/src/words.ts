/** Reads the numbers at the head of a text, with spaces between: to split it takes twice as long, and makes a list. */

const ZERO = 48;
/** Digits that are added up without an error. */
const MOST_DIGITS = 15;

/** See the top of the file. */
export class Words {
  readonly #text: string;
  readonly #end: number;
  #at = 0;

  /** @param end where the words end */
  constructor(text: string, end: number = text.length) {
    this.#text = text;
    this.#end = end;
  }

  /** What is left. */
  rest(): string {
    return this.#text.slice(this.#at, this.#end);
  }

  /** The next word as a number; NaN where it is none, or there is none. */
  number(): number {
    const from = this.#at;
    const space = this.#text.indexOf(" ", from);
    const to = space === -1 || space > this.#end ? this.#end : space;
    this.#at = to + 1;
    return from < to ? numberIn(this.#text, from, to) : NaN;
  }
}

function numberIn(text: string, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9 || at - from === MOST_DIGITS) return Number(text.slice(from, to));
    sum = sum * 10 + digit;
  }
  return sum;
}
