/** The option `schema`: checked when data is read and before it is written. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { failure, failureCode, must, world, type World } from "./support/world.ts";

describe("schema", () => {
  const schema = z.object({ count: z.number().int().default(0), name: z.string().optional() });
  async function visitorWith(data: Record<string, unknown>): Promise<ReturnType<World["browser"]>> {
    const plain = world();
    const visitor = plain.browser();
    await visitor.visit((session) => void Object.assign(session, data));
    return visitor.at(world({ schema, store: plain.store, clock: plain.clock }).pipeline);
  }

  test("fills in defaults when stored data is read, without writing", async () => {
    const visitor = await visitorWith({ name: "x" });
    await visitor.visit((session) => expect(session.count).toBe(0));
    expect(visitor.plan?.cookie).toBeNull();
  });

  test("refuses stored data that does not fit, when it is looked at", async () => {
    const visitor = await visitorWith({ count: "many" });
    const { session } = await visitor.open();
    const error = await failure(() => session.count);
    expect(error.code).toBe("SOJOURN_DATA_INVALID");
    expect(error.message).toContain("session.count: ");
    expect(error.message).not.toContain("many");
  });

  test("refuses changes that do not fit, at commit and at save()", async () => {
    const visitor = await visitorWith({ count: 1 });
    const visit = await visitor.open();
    visit.session.count = 1.5;
    expect(await failureCode(visit.session.save())).toBe("SOJOURN_DATA_INVALID");
    expect(await failureCode(visit.close())).toBe("SOJOURN_DATA_INVALID");
    await visitor.visit((session) => expect(session.count).toBe(1));
  });

  test("refuses what update() makes, and keeps what was stored", async () => {
    const visitor = await visitorWith({ count: 1 });
    const { session } = await visitor.open();
    const work = session.update((data) => void (data["count"] = "many"));
    expect(await failureCode(work)).toBe("SOJOURN_DATA_INVALID");
    await visitor.visit((next) => expect(next.count).toBe(1));
  });

  test("refuses what sessions.create() and updateWhere() are given", async () => {
    const { sessions } = world({ schema });
    const work = sessions.create({ principal: "ada", data: { count: "many" } });
    expect(await failureCode(work)).toBe("SOJOURN_DATA_INVALID");
    const { session } = await sessions.create({ principal: "ada", data: { count: 1 } });
    const batch = sessions.updateWhere({}, (data) => void (data["count"] = "many"));
    expect(await failureCode(batch)).toBe("SOJOURN_DATA_INVALID");
    expect(must(await sessions.get(session.handle)).data).toEqual({ count: 1 });
  });

  test("an asynchronous schema is refused", async () => {
    const slow = z.object({}).refine(() => Promise.resolve(true));
    const { session, close } = await world({ schema: slow }).browser().open();
    session.a = 1;
    expect(await failureCode(close())).toBe("SOJOURN_DATA_INVALID");
  });
});
