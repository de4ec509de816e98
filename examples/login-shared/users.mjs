/** The users: a JSON file beside the sessions. A real application has a database for this. */
import { randomUUID } from "node:crypto";
import { readIfThere, writeAtomically } from "./files.mjs";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.mjs";

/** Known to everyone who reads this file: for trying out, never for production. */
export const DEMO_PASSWORD = "a-long-way-from-home";
export const DEMO_USERS = [
  { name: "Ada", email: "ada@example.test" },
  { name: "Grace", email: "grace@example.test" },
];

/**
 * Opens the file, which is made where there is none. Outside production it gets the demo users;
 * in production a file that holds demo users is refused.
 */
export async function openUsers({ file, production }) {
  const users = new Users(file, JSON.parse((await readIfThere(file)) ?? "[]"));
  if (production) users.refuseDemoUsers();
  else await users.addDemoUsers();
  return users;
}

class Users {
  #file;
  #list;
  /** Checked for an unknown e-mail address, so that both cases take the same time. */
  #decoy = hashPassword(randomUUID());
  #written = Promise.resolve();

  constructor(file, list) {
    this.#file = file;
    this.#list = list;
  }

  get(id) {
    return this.#list.find((user) => user.id === id);
  }

  /** The user with this e-mail address and password, or null. */
  async verify(email, password) {
    const user = this.#list.find((one) => one.email === email);
    const isRight = await verifyPassword(password, user?.hash ?? (await this.#decoy));
    if (!user || !isRight) return null;
    if (isOutdated(user.hash)) await this.setPassword(user.id, password);
    return user;
  }

  /** The new user, or null if the e-mail address is taken. */
  async add({ name, email, password, demo = false }) {
    const hash = await hashPassword(password);
    if (this.#list.some((user) => user.email === email)) return null;
    const user = { id: randomUUID(), name, email, hash, demo };
    this.#list.push(user);
    await this.#write();
    return user;
  }

  async setPassword(id, password) {
    const hash = await hashPassword(password);
    this.get(id).hash = hash;
    await this.#write();
  }

  async addDemoUsers() {
    for (const user of DEMO_USERS) {
      if (this.#list.some(({ email }) => email === user.email)) continue;
      await this.add({ ...user, password: DEMO_PASSWORD, demo: true });
    }
  }

  refuseDemoUsers() {
    const found = this.#list.filter((user) => user.demo).map((user) => user.email);
    if (found.length === 0) return;
    throw new Error(
      `Refusing to start: NODE_ENV is production, and ${this.#file} holds the demo users ` +
        `${found.join(" and ")}, whose password is public. Use another SOJOURN_DATA folder.`,
    );
  }

  /** One write after the other; each writes the newest list. */
  #write() {
    const write = () => writeAtomically(this.#file, JSON.stringify(this.#list, null, 2));
    return (this.#written = this.#written.then(write, write));
  }
}
