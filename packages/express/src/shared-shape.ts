/** Gives the requests and responses of Express a shape that they share, where V8 gives each its own. */

/** V8 13, of Node 24, shares the shapes; 11.3, 12.4 and 12.9, of Node 20, 22 and 23, do not. */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;

/**
 * Express changes the prototype of each request and response. Before V8 13 each of them then gets
 * a new shape with every property that is added: that costs about 1 KiB, and what was compiled for the
 * shapes of the last request is of no use for the next. An object that had a property deleted is kept as a
 * table, and all tables with one prototype have one shape: so `property` is deleted, and put back. Objects whose
 * prototype is that of their class, as `node:http` makes them, share one already and are left as they are.
 */
export function shareShape<T extends object>(object: T, property: keyof T): void {
  if (!isNeeded || hasPrototypeOfClass(object) || !Object.hasOwn(object, property)) return;
  const value = object[property];
  Reflect.deleteProperty(object, property);
  object[property] = value;
}

function hasPrototypeOfClass(object: object): boolean {
  return Object.hasOwn(Object.getPrototypeOf(object) ?? object, "constructor");
}
