/** A process that opens a store by its url, keeps a record and hears itself, and says how it went. */
import { systemClock } from "@sojourn/core/store";
import { recordOf } from "../../../../test/support/records.ts";
import { redisStore } from "../../src/index.ts";

const store = redisStore({ url: process.argv[2] ?? "" });
const record = recordOf(systemClock, "ada");
try {
  await store.create(record);
  const found = await store.read(record);
  const heard = new Promise((resolve) => {
    const topic = "session";
    store.signals?.listen(topic, {
      message: resolve,
      opened: () => void store.signals?.send(topic, "hello"),
    });
  });
  console.log(JSON.stringify({ found: found !== null, heard: await heard }));
} catch (error) {
  console.log(String(error));
} finally {
  await store.close();
}
