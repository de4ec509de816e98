/** `npm run bench`: from a fresh clone to figures. */
import { build, checkNode, install } from "../../examples/prepare.mjs";

checkNode();
if (!install() || !build()) {
  console.error("That failed; the reason is above. An install needs the npm registry.");
  process.exit(1);
}
const { main } = await import("./dist/main.js");
await main(process.argv.slice(2));
