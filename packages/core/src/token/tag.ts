/**
 * The tag: 14 bits, three base64url characters, at the head of every token, key, handle and owner.
 * It is the hash tag of a Redis Cluster: all that belongs to one user shares one of 16,384 slots.
 */
import { hash, randomInt } from "node:crypto";
import type { Handle, OwnerKey, RecordKey } from "../store/contract.ts";

/** Characters in a tag. */
export const TAG_LENGTH = 3;
const TAGS = 1 << 14;

function encodeTag(value: number): string {
  const bits = Buffer.from([value >> 6, (value << 2) & 0xff, 0]);
  return bits.toString("base64url").slice(0, TAG_LENGTH);
}

/** A tag for an anonymous session: uniformly random. */
export function randomTag(): string {
  return encodeTag(randomInt(TAGS));
}

/** The tag of a principal: stable across restarts, nodes and key rotations. */
export function principalTag(namespace: string, principal: string): string {
  const digest = hash("sha256", `${namespace}\0${principal}`, "buffer");
  return encodeTag(digest.readUInt16BE(0) >> 2);
}

/** The owner of a principal's records: `<tag>.<principal>`. */
export function ownerKey(namespace: string, principal: string): OwnerKey {
  return `${principalTag(namespace, principal)}.${principal}` as OwnerKey;
}

/** The principal within an owner key. */
export function parseTaggedOwner(owner: OwnerKey): string {
  return owner.slice(TAG_LENGTH + 1);
}

/** The tag of a key, a handle or an owner. */
export function tagOf(id: RecordKey | Handle | OwnerKey): string {
  return id.slice(0, TAG_LENGTH);
}
