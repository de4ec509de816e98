/** The shape of values that come from outside: from a store, or from another process. */

/** Fields of a value that may be anything. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object; none of what is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** True for a text, and for null. */
export function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}
