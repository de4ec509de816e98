/** T-COOK, ASVS 14.2.1: what is taken for our cookie, and that nothing else is taken for a session. */
import { expect, test } from "vitest";
import { everywhere } from "../scenarios/matrix.ts";

/** `Cookie` headers that are not ours, given a genuine value; bytes above 127 as they come over the wire. */
const disguises: Record<string, (value: string) => string> = {
  "nameless (CVE-2023-23934)": (value) => `=sid=${value}`,
  "nameless behind another": (value) => `a=b; =sid=${value}`,
  "U+2000 before the name": (value) => `a=b; \xe2\x80\x80sid=${value}`,
  "U+2000 behind the name": (value) => `sid\xe2\x80\x80=${value}`,
  "U+00A0 before the name": (value) => `\xc2\xa0sid=${value}`,
  "U+FEFF before the name": (value) => `\xef\xbb\xbfsid=${value}`,
  "U+0085 before the name": (value) => `a=b; \x85sid=${value}`,
  "a dollar before the name": (value) => `$Version=1; $sid=${value}`,
  "in quotes, after $Version": (value) => `$Version=1; sid="${value}"; $Path=/`,
  "within a quoted value": (value) => `a="b; x=sid=${value}"`,
  "a percent-encoded name": (value) => `%73%69%64=${value}`,
  "an upper-case name": (value) => `SID=${value}`,
  "a name with another prefix": (value) => `__Secure-sid=${value}`,
  "behind a comma": (value) => `a=b, sid=${value}`,
  "an array of PHP": (value) => `sid[]=${value}; sid[0]=${value}`,
};

everywhere(({ open }) => {
  test(`T-COOK1 none of ${Object.keys(disguises).length} disguises is our cookie: no session, no store call`, async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const value = ada.jar.get("sid") ?? "";
    const stranger = world.client();
    expect((await stranger.get("/me", { cookie: `sid=${value}` })).body["principal"]).toBe("ada");
    for (const [what, disguise] of Object.entries(disguises)) {
      let principal: unknown;
      const calls = await world.probe.callsOf(async () => {
        const { body } = await stranger.get("/me", { cookie: disguise(value) });
        ({ principal } = body);
      });
      expect([what, principal, calls]).toEqual([what, null, []]);
    }
  });

  test("T-COOK1 SP, HTAB and $Version around our cookie change nothing", async () => {
    const world = await open();
    const value = (await world.loggedIn("ada")).jar.get("sid") ?? "";
    const stranger = world.client();
    for (const cookie of [
      `a=b;sid=${value}`,
      `a=b; \t sid \t=\t ${value} \t;c=d`,
      `$Version=1; sid=${value}; $Path=/`,
    ])
      expect((await stranger.get("/me", { cookie })).body["principal"]).toBe("ada");
  });

  test("T-COOK2 a planted second cookie neither takes the session over nor logs out, and is told of", async () => {
    const world = await open();
    const [ada, eve] = [await world.loggedIn("ada"), await world.loggedIn("eve")];
    const [own, planted] = [ada.jar.get("sid") ?? "", eve.jar.get("sid") ?? ""];
    const forged = `${planted.slice(0, -6)}AAAAAA`;
    const browser = world.client();
    for (const cookie of [`sid=${planted}; sid=${own}`, `sid=${own}; sid=${planted}`]) {
      const answer = await browser.get("/me", { cookie });
      expect([answer.body["principal"], answer.cookies]).toEqual([null, []]);
      const written = await browser.post("/cart?item=bait", { cookie });
      expect(written.status).toBe(200);
    }
    for (const cookie of [`sid=${forged}; sid=${own}`, `sid=${own}; sid=x`]) {
      expect((await browser.get("/me", { cookie })).body["principal"]).toBe("ada");
    }
    const reasons = world.eventsOf("cookie-rejected").map(({ reason }) => reason);
    expect(reasons).toEqual(Array.from({ length: 6 }, () => "duplicate"));
    for (const client of [ada, eve]) {
      expect((await client.get("/me")).body["data"]).toEqual({});
    }
  });

  test("ASVS 14.2.1 OWASP-transport a token in the URL, a header or the body is no session", async () => {
    const world = await open();
    const value = (await world.loggedIn("ada")).jar.get("sid") ?? "";
    const stranger = world.client();
    const paths = [
      `/me?sid=${value}`,
      `/me?sid=${value}&__Host-sid=${value}`,
      `/me?token=${value}`,
    ];
    const headers = ["authorization", "x-session-id", "x-sid", "sid", "cookie2"];
    const calls = await world.probe.callsOf(async () => {
      for (const path of paths) {
        expect((await stranger.get(path)).body["principal"]).toBeNull();
      }
      for (const header of headers) {
        const sent = { [header]: header === "authorization" ? `Bearer ${value}` : value };
        expect((await stranger.get("/me", { headers: sent })).body["principal"]).toBeNull();
      }
      const body = JSON.stringify({ sid: value });
      const json = { "content-type": "application/json" };
      await fetch(`${world.app.url}/logout`, { method: "POST", body, headers: json });
    });
    expect(calls).toEqual([]);
    expect((await world.sessions.count()).active).toBe(1);
  });
});
