/** Finds what JSON would lose, and names where it is. */
import { SojournError } from "../errors.ts";

/**
 * Checks that a value comes back from JSON as what it was. `undefined` properties are left out,
 * objects with `toJSON` (dates) are stored as what it returns; everything else that JSON drops,
 * changes or refuses is an error.
 * @throws SOJOURN_DATA_UNSERIALISABLE naming the path, for example `session.cart[2].when is a BigInt`
 */
export function checkSerialisable(value: unknown, path: string): void {
  if (typeof value === "object" && value !== null) walk(value, { path, ancestors: [], names: [] });
  else checkScalar(value, { path, names: [] });
}

/** Where a walk is: made into words only when there is something to say. */
interface Place {
  readonly path: string;
  readonly names: (string | number)[];
}

interface Way extends Place {
  readonly ancestors: object[];
}

function walk(value: object, way: Way): void {
  const { ancestors } = way;
  if (ancestors.includes(value))
    throw unserialisable(way, "refers back to an object that holds it");
  const plain = plainOf(value);
  if (plain === value && ancestors.length > DEEPEST)
    throw unserialisable(way, `is nested deeper than ${DEEPEST} levels`);
  ancestors.push(value);
  if (plain !== value) look(plain, way);
  else if (Array.isArray(value)) walkItems(value, way);
  else walkProperties(value, way);
  ancestors.pop();
}

function look(value: unknown, way: Way): void {
  if (typeof value === "object" && value !== null) walk(value, way);
  else checkScalar(value, way);
}

function walkItems(items: readonly unknown[], way: Way): void {
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    way.names.push(index);
    if (item === undefined) throw unserialisable(way, "is undefined, and would come back as null");
    look(item, way);
    way.names.pop();
  }
}

function walkProperties(value: object, way: Way): void {
  if (isLossy(value))
    throw unserialisable(way, `is a ${value.constructor.name}, which JSON cannot hold`);
  for (const key of Object.keys(value)) {
    way.names.push(key);
    look((value as Readonly<Record<string, unknown>>)[key], way);
    way.names.pop();
  }
}

/** What JSON asks an object for. */
function plainOf(value: object): unknown {
  return "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
}

const DEEPEST = 200;
const LOSSY = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer] as const;

function isLossy(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return LOSSY.some((type) => value instanceof type) || ArrayBuffer.isView(value);
}

function checkScalar(value: unknown, place: Place): void {
  if (typeof value === "bigint") throw unserialisable(place, "is a BigInt; store it as a string");
  if (typeof value === "function") throw unserialisable(place, "is a function");
  if (typeof value === "symbol") throw unserialisable(place, "is a symbol");
  if (typeof value === "number" && !Number.isFinite(value))
    throw unserialisable(place, `is ${value}, and would come back as null`);
}

function unserialisable({ path: root, names }: Place, problem: string): SojournError {
  const steps = names.map((name) => (typeof name === "number" ? `[${name}]` : `.${name}`));
  const path = root + steps.join("");
  return new SojournError(
    "SOJOURN_DATA_UNSERIALISABLE",
    `${path} ${problem}: session data must be JSON; this was not stored`,
    { details: { path } },
  );
}
