/** One example as a process of its own, on the built packages, with a clock that the test turns. */
import { readSettings, sessionOptions } from "../../examples/login-shared/settings.mjs";

const [example, dataDir, offset, port] = process.argv.slice(2);
let ahead = Number(offset);

// oxlint-disable typescript/no-unsafe-assignment -- the examples are plain JavaScript
const { createApp } = await import(`../../examples/${example}/app.mjs`);
const secret = "only for the tests and the same after every restart";
const settings = readSettings({ SESSION_SECRET: secret }, dataDir);
const clock = { now: () => Date.now() + ahead };
const app = await createApp({ ...settings, session: await sessionOptions(settings, { clock }) });
const url = await app.listen({ port: Number(port), host: "127.0.0.1" });

process.on("message", (ms) => {
  ahead += ms;
  process.send({ ahead });
});
process.on("disconnect", () => process.exit());
process.send({ url });
