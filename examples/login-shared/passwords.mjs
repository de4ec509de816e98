/** Passwords: scrypt with a salt each, compared in constant time, hashed anew when the cost rises. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** OWASP Password Storage: scrypt with N = 2^15, r = 8, p = 3 (32 MiB). */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const PARAMETERS = `${COST.N}:${COST.r}:${COST.p}`;
const derive = promisify(scrypt);

/** `scrypt$N:r:p$salt$key`, the salt and the key in base64url. */
export async function hashPassword(password) {
  const salt = randomBytes(16);
  const key = await derive(password.normalize("NFKC"), salt, 32, COST);
  return `scrypt$${PARAMETERS}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/** Whether the password is the one that was hashed. */
export async function verifyPassword(password, hash) {
  const [, parameters, salt, key] = hash.split("$");
  const [N, r, p] = parameters.split(":").map(Number);
  const expected = Buffer.from(key, "base64url");
  const cost = { N, r, p, maxmem: COST.maxmem };
  const found = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64url"), 32, cost);
  return timingSafeEqual(found, expected);
}

/** Whether the hash was made with another cost than today's. */
export const isOutdated = (hash) => hash.split("$")[1] !== PARAMETERS;
