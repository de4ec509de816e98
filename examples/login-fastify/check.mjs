/** Runs the example's story over real HTTP, a crash of the server included: `pnpm check`. */
import { check } from "@sojourn/example-login-shared/check";

await check(new URL("server.mjs", import.meta.url));
