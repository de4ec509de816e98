// Types merged through @sojourn/express. Each expected error is an error if it does not come.
import express from "express";
import { isSojournError, sessionMiddleware } from "@sojourn/express";

declare module "@sojourn/express" {
  interface SessionData {
    visits?: number;
  }
}

const middleware = sessionMiddleware({ idle: "30m", skip: (request) => request.url === "/health" });
const app = express();
app.use(middleware);
app.post("/login", async (request, response) => {
  await request.session.login("ada", { max: 3, onLimit: "reject" });
  const visits: number = request.session.visits ?? 0;
  // @ts-expect-error -- visits are a number
  request.session.visits = "many";
  // @ts-expect-error -- not a policy
  await request.session.login("ada", { onLimit: "ignore" });
  response.json({ visits });
});

export const ended: number = await middleware.sessions.revokeAll("ada", "account disabled");

await middleware.sessions.list("ada").catch((error: unknown) => {
  if (!isSojournError(error)) throw error;
  const isLate: boolean = error.code === "SOJOURN_STORE_TIMEOUT";
  // @ts-expect-error -- not a code
  const isTired: boolean = error.code === "SOJOURN_STORE_TIRED";
  return { isLate, isTired };
});
