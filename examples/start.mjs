/** `npm start`: from a fresh clone to a running application, with Node and npm and nothing else. */
import { build, checkNode, install } from "./prepare.mjs";

checkNode();
console.log("Installing what is missing and building what changed …");
if (!install() || !build()) {
  console.error("That failed; the reason is above. An install needs the npm registry.");
  process.exit(1);
}
console.log(`
Try this: put something into the cart, then sign in: the cart comes along.
Sign in from three more browsers (or private windows), and the first is told why it is out.
Look at Devices, change the password, restart the server: everyone stays signed in.
`);
await import("./login-fastify/server.mjs");
