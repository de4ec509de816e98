/** Starts the example: `node server.mjs`. Settings come from the environment, see ../README.md. */
import { runServer } from "@sojourn/example-login-shared/server";
import { createApp } from "./app.mjs";

await runServer(createApp, new URL("data", import.meta.url));
