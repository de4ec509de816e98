/** E-03: the guard on Express 4 and 5. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express5 from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { csrfGuard, type CsrfGuardOptions, sessionMiddleware } from "../src/index.ts";
import { express4 } from "./support/apps.ts";

interface Sent {
  readonly status: number;
  readonly text: string;
  readonly vary: string | null;
  readonly cookie: string;
}

type Send = (path: string, headers?: Record<string, string>, body?: string) => Promise<Sent>;

async function guarded(
  make: typeof express5,
  options: CsrfGuardOptions = {},
  trustProxy = false,
): Promise<Send> {
  const app = make();
  app.set("trust proxy", trustProxy);
  app.use(sessionMiddleware({ secret: "s".repeat(40), logger: false }));
  app.use(make.urlencoded({ extended: false }));
  app.use(csrfGuard(options));
  app.get("/token", (request, response) => void response.send(request.session.csrfToken()));
  app.post(/.*/, (_, response) => void response.send("changed"));
  const fail: express5.ErrorRequestHandler = (
    error: { code: string; statusCode: number },
    _,
    response,
    _next,
  ) => {
    response.status(error.statusCode).send(error.code);
  };
  app.use(fail);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return async (path, headers = {}, body) => {
    const method = path === "/token" ? "GET" : "POST";
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    return {
      status: answer.status,
      text: await answer.text(),
      vary: answer.headers.get("vary"),
      cookie,
    };
  };
}

describe.each([
  ["Express 5", express5],
  ["Express 4", express4],
])("E-03 csrfGuard on %s", (_, make) => {
  test("CSRF-vary refuses a cross-site POST with 403, and lets our own page's through", async () => {
    const send = await guarded(make);
    const refused = await send("/change", { "sec-fetch-site": "cross-site" });
    expect(refused).toMatchObject({ status: 403, text: "SOJOURN_CSRF_REJECTED" });
    expect(refused.vary).toContain("Sec-Fetch-Site, Origin");
    expect(await send("/change", { "sec-fetch-site": "same-origin" })).toMatchObject({
      status: 200,
    });
  });

  test("CSRF-proxies compares Origin with the host and its port, behind a proxy only where that is trusted", async () => {
    const [plain, behind] = [await guarded(make), await guarded(make, {}, true)];
    const origin = { origin: "https://shop.example:8443" };
    const proxied = { ...origin, "x-forwarded-host": "shop.example:8443" };
    expect((await plain("/change", proxied)).status).toBe(403);
    expect((await behind("/change", proxied)).status).toBe(200);
    expect((await behind("/change", origin)).status).toBe(403);
    const otherPort = { ...proxied, origin: "https://shop.example:9443" };
    expect((await behind("/change", otherPort)).status).toBe(403);
  });

  test("takes a token from the header or the form's field, of this session only", async () => {
    const send = await guarded(make, { protection: "token" });
    const { text: token, cookie } = await send("/token");
    const form = { cookie, "content-type": "application/x-www-form-urlencoded" };
    expect((await send("/change", { cookie })).status).toBe(403);
    expect((await send("/change", { cookie, "x-csrf-token": token })).status).toBe(200);
    expect((await send("/change", form, `_csrf=${token}`)).status).toBe(200);
    expect((await send("/change", { "x-csrf-token": token })).status).toBe(403);
  });

  test("CSRF-exempt lets an exempt request alone", async () => {
    const exempt = ({ url }: { url?: string | undefined }) => url === "/hook";
    const send = await guarded(make, { exempt });
    const headers = { "sec-fetch-site": "cross-site" };
    expect((await send("/hook", headers)).status).toBe(200);
    for (const path of ["/hook/", "/HOOK", "/hook/../change", "/change?/hook"])
      expect((await send(path, headers)).status, path).toBe(403);
  });
});

test("csrfGuard before sessionMiddleware says so", () => {
  const errors: unknown[] = [];
  csrfGuard()({ headers: {} } as never, {} as never, (error) => errors.push(error));
  expect(errors).toMatchObject([{ code: "SOJOURN_ADAPTER_MISUSE" }]);
});
