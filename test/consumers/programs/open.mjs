// Opens both stores, uses them, closes nothing.
import { createSessionManager, memoryStore } from "@sojourn/core";
import { fileStore } from "@sojourn/store-file";

const secret = "a secret of the consumers, long enough";
for (const store of [memoryStore(), fileStore({ path: "./data-open/sessions.sojourn" })]) {
  const { sessions } = createSessionManager({ secret, store, logger: false });
  await sessions.create({ principal: "ada" });
}
console.log("done");
