import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import { expresses, frameworks, handler, http1 } from "./support/apps.ts";
import type { Req, Res, Step } from "./support/apps.ts";
import { tested } from "./support/sessions.ts";

/** V8 says it of an object that is not kept as a table. */
let isFast: (object: object) => boolean;
beforeAll(() => {
  setFlagsFromString("--allow-natives-syntax");
  isFast = new Script("(object) => %HasFastProperties(object)").runInThisContext() as typeof isFast;
});

const sharesShapes = Number.parseInt(process.versions.v8, 10) >= 13;

const tell = handler((req, res) => {
  res.end(JSON.stringify({ request: isFast(req), response: isFast(res) }));
});

const shapesBehind = async (serve: (typeof http1)["serve"], ...steps: Step[]): Promise<unknown> =>
  JSON.parse((await (await serve(...steps, tell)).ask()).text);

describe.each(expresses)("$name", ({ serve }) => {
  test("requests and responses are tables where V8 would give each a shape of its own", async () => {
    const shapes = { request: sharesShapes, response: sharesShapes };
    expect(await shapesBehind(serve, tested().step)).toEqual(shapes);
  });

  test("a request that has no session is left as it is", async () => {
    const shapes = { request: true, response: true };
    expect(await shapesBehind(serve, tested({ skip: () => true }).step)).toEqual(shapes);
  });
});

test("those of node:http, which share one shape, are left as they are", async () => {
  const shapes = { request: true, response: true };
  expect(await shapesBehind(http1.serve, tested().step)).toEqual(shapes);
});

test.each(frameworks)("$name: what was deleted for it is there again", async ({ serve }) => {
  const look = (req: Req, res: Res): unknown => ({
    own: [Object.hasOwn(req, "url"), Object.hasOwn(res, "sendDate")],
    values: [req.url, res.sendDate],
  });
  let before: unknown;
  const keep: Step = (req, res, next) => {
    before = look(req, res);
    next();
  };
  const tellNow = handler((req, res) => {
    res.end(JSON.stringify(look(req, res)));
  });
  const app = await serve(keep, tested().step, tellNow);
  const { text } = await app.ask({ path: "/any?x=1" });
  expect(JSON.parse(text)).toEqual(before);
});
