/**
 * Finds our cookie in a `Cookie` header, byte for byte.
 *
 * cookie-string = cookie-pair *( ";" SP cookie-pair )   (RFC 6265 4.2.1)
 *
 * Deviations on purpose: names are compared exactly and never decoded, only SP and HTAB are trimmed,
 * `$Version` means nothing, quotes are part of the value. Anything looser has let forged
 * `__Host-` cookies in (CVE-2023-23934, legacy `$Version` parsing).
 */

const SP = 0x20;
const HTAB = 0x09;

/** Every distinct value that the header carries under `name`, in order. */
export function readCookie(header: string | undefined, name: string): readonly string[] {
  if (header === undefined) return NONE;
  let found: string[] | undefined;
  let at = header.indexOf(name);
  while (at !== -1) {
    const value = valueAt(header, name, at);
    if (value !== null) found = withValue(found, value);
    at = header.indexOf(name, at + name.length);
  }
  return found ?? NONE;
}

const NONE: readonly string[] = [];

/** A list that begins with a value has room for that one; an empty one makes room for many with its first. */
function withValue(found: string[] | undefined, value: string): string[] {
  if (found === undefined) return [value];
  if (!found.includes(value)) found.push(value);
  return found;
}

/** The value if a cookie-pair named `name` begins at `at`, else null. */
function valueAt(header: string, name: string, at: number): string | null {
  const equals = skipBlanks(header, at + name.length);
  if (header[equals] !== "=") return null;
  let before = at - 1;
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--;
  if (before >= 0 && header[before] !== ";") return null;
  const start = skipBlanks(header, equals + 1);
  let end = header.indexOf(";", start);
  if (end === -1) end = header.length;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--;
  return header.slice(start, end);
}

function skipBlanks(header: string, from: number): number {
  let at = from;
  while (isBlank(header.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
