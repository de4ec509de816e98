/** The privilege watch: notices that a session may do other things than before. */
import { hash } from "node:crypto";

/** A short digest of a list of privileges, so that neither roles nor their number are stored. */
export function privilegeDigest(privileges: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(privileges), "base64url").slice(0, 22);
}
