/** A process of its own with the same secret and ledger: is told a `Cookie` header, says whose session it is. */
import { createSessionManager } from "@sojourn/core";
import { cookieStore } from "@sojourn/store-cookie";
import { redisStore } from "@sojourn/store-redis";
import { Redis } from "ioredis";

const [, , port = "", prefix = "", secret = ""] = process.argv;
const client = new Redis(Number(port), "127.0.0.1");
const store = cookieStore({ epochs: redisStore({ client, prefix }) });
const { pipeline, sessions } = createSessionManager({ secret, store, logger: false });

process.on("message", (cookieHeader: string) => {
  const facts = { cookieHeader, secure: false, client: () => ({}) };
  void Promise.resolve(pipeline.begin(facts)).then(
    ({ session }) => process.send?.({ principal: session.principal }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
await sessions.ready();
process.send?.({ principal: null });
