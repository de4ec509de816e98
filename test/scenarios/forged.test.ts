/** Forged and malformed cookies: no store call, and the answer of a browser without one. */
import { createSessionManager, memoryStore } from "@sojourn/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Received } from "./client.ts";
import { everywhere, SECRET } from "./matrix.ts";
import type { World } from "./matrix.ts";

/** A `sid` cookie value of another manager. */
async function foreign(secret: string, name?: string): Promise<string> {
  const { sessions } = createSessionManager({
    secret,
    store: memoryStore(),
    logger: false,
    cookie: { name, secure: false },
  });
  const { setCookie } = await sessions.create({ principal: "ada" });
  return setCookie.slice(setCookie.indexOf("=") + 1, setCookie.indexOf(";"));
}

/** The text with another character of base64url at the index. */
function flip(text: string, index: number): string {
  const other = text[index] === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}

/** `Cookie` headers by what is wrong with them, made from a genuine value. */
async function forgeries(genuine: string): Promise<[name: string, cookie: string][]> {
  const [tag = "", secret = "", signature = ""] = genuine.split(".");
  const token = `${tag}.${secret}`;
  const second = await foreign(SECRET);
  const otherSecret = await foreign("another secret that is long enough, 40 c");
  const values: Record<string, string> = {
    empty: "",
    "a dot": ".",
    "three dots": "...",
    undefined: "undefined",
    null: "null",
    true: "true",
    "[object Object]": "[object Object]",
    JSON: '{"id":1}',
    "1000 letters": "a".repeat(1000),
    "4096 letters": "A".repeat(4096),
    "as long as a genuine one": "A".repeat(genuine.length),
    "the token alone": token,
    "the token and a dot": `${token}.`,
    "the signature alone": signature,
    "a dot before it": `.${genuine}`,
    "a dot behind it": `${genuine}.`,
    "padding behind it": `${genuine}=`,
    "a letter behind it": `${genuine}A`,
    "a letter missing": genuine.slice(0, -1),
    "in quotes": `"${genuine}"`,
    "with s: in front": `s:${genuine}`,
    "dots percent-encoded": genuine.replaceAll(".", "%2E"),
    "the first letter percent-encoded": `%${genuine.charCodeAt(0).toString(16)}${genuine.slice(1)}`,
    "upper case": genuine.toUpperCase(),
    "back to front": genuine.split("").toReversed().join(""),
    "parts swapped": `${signature}.${token}`,
    "dots as colons": genuine.replaceAll(".", ":"),
    "a blank inside": `${genuine.slice(0, 10)} ${genuine.slice(10)}`,
    "a path": "../../etc/passwd",
    SQL: "' OR 1=1 --",
    ["__proto__"]: "__proto__",
    "a UUID": "123e4567-e89b-12d3-a456-426614174000",
    "a JWT without signature": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
    "an express-session id": "s%3AAbCdEf.GhIjKl",
    "Latin-1 letters": "\u00e9\u00e8",
    "another tag": flip(genuine, 0),
    "another secret": flip(genuine, 10),
    "another last letter of the secret":
      token.slice(0, -1) + (token.endsWith("E") ? "A" : "E") + `.${signature}`,
    "another key id": flip(genuine, genuine.length - 40 - 5),
    "another last letter of the signature": flip(genuine, genuine.length - 1),
    "the signature of another token": `${token}.${second.split(".")[2]}`,
    "signed with another secret": otherSecret,
    "signed for another name": await foreign(SECRET, "other"),
  };
  const headers = Object.entries(values).map(([name, value]) => [name, `sid=${value}`] as const);
  const others = {
    "two valid ones": `sid=${genuine}; sid=${second}`,
    "9 values": Array.from({ length: 9 }, (_, index) => `sid=${"x".repeat(index + 1)}`).join("; "),
    "the name in capitals": `SID=${genuine}`,
    "the name percent-encoded": `%73id=${genuine}`,
    "a longer name": `xsid=${genuine}; sidx=${genuine}`,
    "the name within a value": `x=sid=${genuine}`,
    "a prefix that this is not": `__Host-sid=${genuine}`,
    "a comma between": `a=b, sid=${genuine}`,
  };
  return [...headers, ...Object.entries(others)].map(([name, cookie]) => [name, cookie]);
}

/** Of an answer what must not depend on the cookie. */
function shape({ status, text, headers }: Received): unknown {
  const { date: _date, "keep-alive": _keepAlive, ...rest } = headers;
  return { status, text, headers: rest };
}

async function genuineCookie(world: World): Promise<string> {
  const ada = await world.loggedIn("ada");
  expect((await ada.get("/me")).body["principal"]).toBe("ada");
  return ada.jar.get("sid") ?? "";
}

everywhere(({ open }) => {
  test("[A-30] [E-04] ASVS 7.2.1 ASVS 9.1.2 ASVS 11.2.5 OWASP-untrusted OWASP-strict T-KEY2 51 forged cookies cause 0 store calls and the answer of no cookie", async () => {
    const world = await open();
    const cookies = await forgeries(await genuineCookie(world));
    expect(cookies).toHaveLength(51);
    const client = world.client();
    const without = shape(await client.get("/me"));
    for (const [name, cookie] of cookies) {
      let answer: Received | undefined;
      const calls = await world.probe.callsOf(async () => {
        answer = await client.get("/me", { cookie });
      });
      expect([name, calls, answer && shape(answer)]).toEqual([name, [], without]);
    }
    const reasons = new Set(world.eventsOf("cookie-rejected").map(({ reason }) => reason));
    expect(reasons).toEqual(new Set(["malformed", "bad-signature", "unknown-key", "duplicate"]));
  });

  test("[A-30] no text and no genuine cookie with other letters in it reaches the store", async () => {
    const world = await open();
    const genuine = await genuineCookie(world);
    const client = world.client();
    const without = shape(await client.get("/me"));
    const text = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,120}$/);
    const letter = fc.constantFrom(..."ABCXYZabcxyz0189-_.=%".split(""));
    const altered = fc
      .array(fc.tuple(fc.nat(genuine.length - 1), letter), { minLength: 1, maxLength: 3 })
      .map((changes) => {
        const letters = genuine.split("");
        for (const [index, other] of changes) letters[index] = other;
        return letters.join("");
      })
      .filter((value) => value !== genuine);
    world.probe.calls = [];
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, altered), async (value) => {
        expect(shape(await client.get("/me", { cookie: `sid=${value}` }))).toEqual(without);
      }),
      { numRuns: 150 },
    );
    expect(world.probe.calls).toEqual([]);
  });

  test("a genuine cookie of an unknown session costs 1 read and is cleared", async () => {
    const world = await open();
    const client = world.client();
    client.jar.set("sid", await foreign(SECRET));
    const calls = await world.probe.callsOf(() => client.get("/me"));
    expect(calls).toEqual(["read"]);
    expect(client.cookie).toBe("");
    expect(world.eventsOf("cookie-rejected").map(({ reason }) => reason)).toEqual(["unknown"]);
  });
});
