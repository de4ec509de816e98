// Types merged through @sojourn/fastify. Each expected error is an error if it does not come.
import Fastify from "fastify";
import { sessionPlugin } from "@sojourn/fastify";
import type { SessionInfo } from "@sojourn/fastify";
import { fileStore } from "@sojourn/store-file";

declare module "@sojourn/fastify" {
  interface SessionData {
    cart?: string[];
  }
}

const app = Fastify();
await app.register(sessionPlugin, { store: fileStore({ path: "./sessions" }), idle: "30m" });
// @ts-expect-error -- not an option
await app.register(sessionPlugin, { maxAge: 1 });

app.get("/cart", async ({ session }) => {
  const cart: string[] | undefined = session.cart;
  const same: string[] | undefined = session.get("cart");
  const user: string | null = session.principal;
  // @ts-expect-error -- a cart is a list of texts
  session.cart = [1];
  // @ts-expect-error -- facts are read-only
  session.principal = "ada";
  await session.update((data) => {
    data.cart = [...(data.cart ?? []), "book"];
  });
  return { cart, same, user };
});

export const listed: readonly SessionInfo[] = (await app.sessions.list("ada")).items;
