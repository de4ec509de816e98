/** Finds what JSON would lose, and names where it is. */
import { SojournError } from "../errors.ts";

/**
 * Checks that a value comes back from JSON as what it was. `undefined` properties are left out,
 * objects with `toJSON` (dates) are stored as what it returns; everything else that JSON drops,
 * changes or refuses is an error.
 * @throws SOJOURN_DATA_UNSERIALISABLE naming the path, for example `session.cart[2].when is a BigInt`
 */
export function checkSerialisable(value: unknown, path: string): void {
  walk(value, path, []);
}

function walk(value: unknown, path: string, ancestors: readonly object[]): void {
  const problem = scalarProblem(value);
  if (problem !== null) throw unserialisable(path, problem);
  if (typeof value !== "object" || value === null) return;
  if (ancestors.includes(value))
    throw unserialisable(path, "refers back to an object that holds it");
  if ("toJSON" in value && typeof value.toJSON === "function") {
    const plain: unknown = value.toJSON();
    if (plain !== value) return walk(plain, path, [...ancestors, value]);
  }
  if (ancestors.length > DEEPEST)
    throw unserialisable(path, `is nested deeper than ${DEEPEST} levels`);
  if (LOSSY.some((type) => value instanceof type) || ArrayBuffer.isView(value)) {
    throw unserialisable(path, `is a ${value.constructor.name}, which JSON cannot hold`);
  }
  const within = [...ancestors, value];
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (item === undefined)
        throw unserialisable(`${path}[${index}]`, "is undefined, and would come back as null");
      walk(item, `${path}[${index}]`, within);
    }
    return;
  }
  for (const [key, item] of Object.entries(value)) walk(item, `${path}.${key}`, within);
}

const DEEPEST = 200;
const LOSSY = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer] as const;

function scalarProblem(value: unknown): string | null {
  if (typeof value === "bigint") return "is a BigInt; store it as a string";
  if (typeof value === "function") return "is a function";
  if (typeof value === "symbol") return "is a symbol";
  if (typeof value === "number" && !Number.isFinite(value))
    return `is ${value}, and would come back as null`;
  return null;
}

function unserialisable(path: string, problem: string): SojournError {
  return new SojournError(
    "SOJOURN_DATA_UNSERIALISABLE",
    `${path} ${problem}: session data must be JSON; this was not stored`,
    { details: { path } },
  );
}
