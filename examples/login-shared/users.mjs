/** The users: a JSON file each, which several processes may share. A real application has a database. */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createAtomically, writeAtomically } from "./files.mjs";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.mjs";

/** Known to everyone who reads this file: for trying out, never for production. */
export const DEMO_PASSWORD = "a-long-way-from-home";
export const DEMO_USERS = [
  { name: "Ada", email: "ada@example.test" },
  { name: "Grace", email: "grace@example.test" },
];

/**
 * Opens the folder, which is made where there is none. Outside production it gets the demo users;
 * in production a folder that holds demo users is refused.
 */
export async function openUsers({ folder, production }) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const users = new Users(folder);
  if (production) users.refuseDemoUsers();
  else await users.addDemoUsers();
  return users;
}

/** One e-mail address, one id: two sign-ups with the same address meet at the same file. */
const idOf = (email) => createHash("sha256").update(email).digest("base64url").slice(0, 22);
const textOf = (user) => JSON.stringify(user, null, 2);

class Users {
  #folder;
  /** Checked for an unknown e-mail address, so that both cases take the same time. */
  #decoy = hashPassword(randomUUID());

  constructor(folder) {
    this.#folder = folder;
  }

  /** The user with this id, or null; `id` is the principal of a session. */
  get(id) {
    if (id === null) return null;
    try {
      return JSON.parse(readFileSync(this.#path(id), "utf8"));
    } catch (error) {
      if (error.code === "ENOENT") return null;
      throw error;
    }
  }

  /** The user with this e-mail address and password, or null. */
  async verify(email, password) {
    const user = this.get(idOf(email));
    const isRight = await verifyPassword(password, user?.hash ?? (await this.#decoy));
    if (!user || !isRight) return null;
    if (isOutdated(user.hash)) await this.setPassword(user.id, password);
    return user;
  }

  /** The new user, or null if the e-mail address is taken. */
  async add({ name, email, password, demo = false }) {
    const user = { id: idOf(email), name, email, hash: await hashPassword(password), demo };
    return (await createAtomically(this.#path(user.id), textOf(user))) ? user : null;
  }

  async setPassword(id, password) {
    const hash = await hashPassword(password);
    await writeAtomically(this.#path(id), textOf({ ...this.get(id), hash }));
  }

  async addDemoUsers() {
    for (const user of DEMO_USERS) {
      if (this.get(idOf(user.email))) continue;
      await this.add({ ...user, password: DEMO_PASSWORD, demo: true });
    }
  }

  refuseDemoUsers() {
    const found = DEMO_USERS.map(({ email }) => email).filter(
      (email) => this.get(idOf(email))?.demo,
    );
    if (found.length === 0) return;
    throw new Error(
      `Refusing to start: NODE_ENV is production, and ${this.#folder} holds the demo users ` +
        `${found.join(" and ")}, whose password is public. Use another SOJOURN_DATA folder.`,
    );
  }

  #path(id) {
    return join(this.#folder, `${id}.json`);
  }
}
