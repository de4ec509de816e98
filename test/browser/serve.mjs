/** One example as a process of its own, on the built packages, with a clock that the test turns. */
const [example, dataDir, offset, port] = process.argv.slice(2);
let ahead = Number(offset);

// oxlint-disable typescript/no-unsafe-assignment -- the examples are plain JavaScript
const { createApp } = await import(`../../examples/${example}/app.mjs`);
const app = await createApp({
  dataDir,
  secret: "only for the tests, and the same after every restart",
  clock: { now: () => Date.now() + ahead },
});
const url = await app.listen({ port: Number(port), host: "127.0.0.1" });

process.on("message", (ms) => {
  ahead += ms;
  process.send({ ahead });
});
process.on("disconnect", () => process.exit());
process.send({ url });
