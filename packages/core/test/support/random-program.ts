/** Takes random bytes while a snapshot is built, and tells those that a process takes that starts from it. */
import { startupSnapshot } from "node:v8";
import { takeRandom } from "../../src/token/random.ts";

takeRandom(32);
startupSnapshot.setDeserializeMainFunction(() => {
  process.stdout.write(Buffer.from(takeRandom(32)).toString("hex"));
});
