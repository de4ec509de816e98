/** Finding our cookie in a header: exact, and never fooled. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCookie } from "../src/cookie/read.ts";

const NAME = "__Host-sid";

describe("T-COOK1 COOKIE-case what counts as our cookie", () => {
  test.each<[why: string, header: string | undefined, values: string[]]>([
    ["no header", undefined, []],
    ["an empty header", "", []],
    ["only semicolons", ";; ; ", []],
    ["alone", "__Host-sid=v", ["v"]],
    ["first", "__Host-sid=v; a=b", ["v"]],
    ["last", "a=b; __Host-sid=v", ["v"]],
    ["without a space before it", "a=b;__Host-sid=v", ["v"]],
    ["spaces and tabs around", "a=b; \t__Host-sid \t= \tv\t ; c=d", ["v"]],
    ["an empty value", "__Host-sid=", [""]],
    ["a blank value", "__Host-sid= \t;a=b", [""]],
    ["an equals sign in the value", "__Host-sid=a=b==", ["a=b=="]],
    ["quotes belong to the value", '__Host-sid="v"', ['"v"']],
    ["percent signs are not decoded in the value", "__Host-sid=%41", ["%41"]],
    ["twice, different", "__Host-sid=v; __Host-sid=w", ["v", "w"]],
    ["twice, equal", "__Host-sid=v; x=y; __Host-sid=v", ["v"]],
    ["other case", "__host-sid=v; __HOST-SID=w", []],
    ["longer name behind", "__Host-sid2=v", []],
    ["longer name before", "x__Host-sid=v", []],
    ["name repeated in itself", "__Host-sid__Host-sid=v", []],
    ["nameless, CVE-2023-23934", "=__Host-sid=bad", []],
    ["nameless after another", "a=b; =__Host-sid=bad", []],
    ["in another's value", "a=__Host-sid=bad", []],
    ["in another's value after a space", "a=b __Host-sid=bad", []],
    ["a comma does not separate", "a=b,__Host-sid=bad", []],
    ["a quoted semicolon separates all the same", 'a="x; __Host-sid=v"', ['v"']],
    ["$Version means nothing", "$Version=1; __Host-sid=v; $Path=/", ["v"]],
    ["a dollar before the name", "$__Host-sid=v", []],
    ["percent-encoded name", "%5F_Host-sid=v", []],
    ["no equals sign", "__Host-sid; a=b", []],
    ["no equals sign before another", "__Host-sid a=b", []],
    ["U+2000 before the name", "a=b; \u2000__Host-sid=bad", []],
    ["U+00A0 before the name", "\u00A0__Host-sid=bad", []],
    ["U+FEFF before the name", "\uFEFF__Host-sid=bad", []],
    ["a line feed before the name", "a=b;\n__Host-sid=bad", []],
    ["a vertical tab before the name", "a=b;\v__Host-sid=bad", []],
    ["a NUL before the name", "\0__Host-sid=bad", []],
    ["U+2000 behind the name", "__Host-sid\u2000=bad", []],
    ["U+00A0 is kept in the value", "__Host-sid=v\u00A0", ["v\u00A0"]],
  ])("%s", (_, header, values) => {
    expect(readCookie(header, NAME)).toEqual(values);
  });
});

/** The grammar spelled out: split at semicolons, trim SP and HTAB, split at the first `=`. */
function oracle(header: string, name: string): string[] {
  const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
  const values = header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    if (equals === -1 || trim(pair.slice(0, equals)) !== name) return [];
    return [trim(pair.slice(equals + 1))];
  });
  return [...new Set(values)];
}

describe("against the grammar spelled out", () => {
  const piece = fc.constantFrom(
    NAME,
    "sid",
    "s",
    "_",
    "=",
    ";",
    " ",
    "\t",
    "v",
    '"',
    "$",
    "\u2000",
  );

  test("reads 20,000 odd headers the same way", () => {
    const header = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(header, fc.constantFrom(NAME, "sid", "s", "_", "__"), (text, name) => {
        expect(readCookie(text, name)).toEqual(oracle(text, name));
      }),
      { numRuns: 20_000 },
    );
  });

  test("reads headers of any characters the same way", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.string(), (before, after) => {
        const text = `${before};${NAME}=${after}`;
        expect(readCookie(text, NAME)).toEqual(oracle(text, NAME));
      }),
    );
  });

  test("T-DOS a header of 1 MB that names us 50,000 times is read in a moment", () => {
    const began = performance.now();
    expect(readCookie(`${NAME} `.repeat(100_000), NAME)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
