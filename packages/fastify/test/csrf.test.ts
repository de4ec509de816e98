/** E-03: the guard on Fastify. */
import { csrfGuard, type CsrfGuardOptions, sessionPlugin } from "@sojourn/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { describe, expect, test } from "vitest";
import { appWith, closing, SECRET } from "./harness.ts";

async function guarded(options: CsrfGuardOptions = {}): Promise<FastifyInstance> {
  const app = await appWith();
  await app.register(csrfGuard, options);
  app.get("/token", (request) => request.session.csrfToken());
  app.post("/change", async () => ({ changed: true }));
  app.post("/hook", { config: { csrf: false } }, async () => ({ changed: true }));
  return app;
}

const cookieOf = (headers: Record<string, unknown>): string =>
  String(headers["set-cookie"]).split(";")[0] ?? "";

describe("E-03 csrfGuard", () => {
  test("CSRF-vary refuses a cross-site POST with 403 before the handler, and lets a same-site page's own through", async () => {
    const app = await guarded();
    const send = (site: string) =>
      app.inject({ method: "POST", url: "/change", headers: { "sec-fetch-site": site } });
    const refused = await send("cross-site");
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: "SOJOURN_CSRF_REJECTED" });
    expect(refused.headers["vary"]).toContain("Sec-Fetch-Site, Origin");
    expect((await send("same-origin")).json()).toEqual({ changed: true });
  });

  test("CSRF-proxies compares Origin with the host, also behind a trusted proxy", async () => {
    const app = await guarded();
    const headers = { origin: "https://shop.example", host: "shop.example" };
    const send = (more: Record<string, string>) =>
      app.inject({ method: "POST", url: "/change", headers: { ...headers, ...more } });
    expect((await send({})).statusCode).toBe(200);
    expect((await send({ host: "10.0.0.7:3000" })).statusCode).toBe(403);
    const forwarded = { host: "10.0.0.7:3000", "x-forwarded-host": "shop.example" };
    expect((await send(forwarded)).statusCode).toBe(403);
    const behind = await appWith({}, { trustProxy: true });
    await behind.register(csrfGuard);
    behind.post("/change", async () => ({ changed: true }));
    const answer = await behind.inject({
      method: "POST",
      url: "/change",
      headers: { ...headers, ...forwarded },
    });
    expect(answer.statusCode).toBe(200);
  });

  test("takes a token from the header or the body's field, of this session only", async () => {
    const app = await guarded({ protection: "token" });
    const page = await app.inject("/token");
    const cookie = cookieOf(page.headers);
    const post = (headers: Record<string, string>, payload?: object) =>
      app.inject({
        method: "POST",
        url: "/change",
        headers: { cookie, ...headers },
        ...(payload ? { payload } : {}),
      });
    expect((await post({})).json()).toMatchObject({ code: "SOJOURN_CSRF_REJECTED" });
    expect((await post({ "x-csrf-token": page.body })).statusCode).toBe(200);
    expect((await post({}, { _csrf: page.body })).statusCode).toBe(200);
    expect((await post({ "x-csrf-token": page.body, cookie: "" })).statusCode).toBe(403);
  });

  test("T-CSRF CSRF-exempt lets a route with csrf: false alone, and no other path to it", async () => {
    const app = await guarded();
    const headers = { "sec-fetch-site": "cross-site" };
    const send = (url: string) => app.inject({ method: "POST", url, headers });
    expect((await send("/hook")).statusCode).toBe(200);
    for (const url of ["/hook/../change", "/change?x=/hook", "/hook/", "//hook"])
      expect((await send(url)).statusCode).not.toBe(200);
  });

  test("without a session in the scope it says so at start", async () => {
    const app = closing(fastify());
    await expect(app.register(csrfGuard)).rejects.toMatchObject({ code: "SOJOURN_ADAPTER_MISUSE" });
  });

  test("bad options come out at start", async () => {
    const app = closing(fastify());
    await app.register(sessionPlugin, { secret: SECRET });
    await expect(
      app.register(csrfGuard, { trustedOrigins: ["example.com"] }),
    ).rejects.toMatchObject({ code: "SOJOURN_OPTIONS_INVALID" });
  });
});
