/** Whether a store's answer is one that its contract allows: what is not would fail later, somewhere else. */
import { SojournError } from "../errors.ts";
import { type Fields, fieldsOf, isTextOrNull } from "../shape.ts";
import type { Admitted, EndingReason, Replaced, Updated } from "./contract.ts";
import type { GuardedOperation } from "./guard.ts";

/** Checks of the answers that the core looks into; the others are nothing but done. */
const CHECKS: Partial<Record<GuardedOperation, (answer: unknown) => boolean>> = {
  read: (answer) => answer === null || isRecord(answer) || isTombstone(answer),
  create: (answer) => isOutcome(answer, ["created", "refused"]),
  update: (answer) => isOutcome(answer, ["updated", "conflict", "gone"]),
  replace: (answer) => isOutcome(answer, ["replaced", "refused", "moved", "conflict", "gone"]),
  touch: (answer) => typeof answer === "boolean",
  end: isTombstoneOrNull,
  endOwner: (answer) => answer === null || isCount(answer),
  consume: (answer) => answer === null || isRecord(answer),
  listOwner: (answer) => isListOf(answer, isRecord),
  count: (answer) => {
    const { active, principals, lifetime } = fieldsOf(answer);
    return isCount(active) && isCount(principals) && typeof lifetime === "object";
  },
  owners: (answer) => {
    const { owners, cursor } = fieldsOf(answer);
    return isTextOrNull(cursor) && isListOf(owners, isOwner);
  },
};

type Status = (Admitted | Updated | Replaced)["status"];

/** Checks of outcomes. */
const OUTCOMES: Record<Status, (outcome: Fields) => boolean> = {
  created: ({ evicted }) => isListOf(evicted, isTombstone),
  replaced: ({ evicted }) => isListOf(evicted, isTombstone),
  refused: ({ active }) => isCount(active),
  updated: ({ record }) => isRecord(record),
  conflict: ({ record }) => isRecord(record),
  moved: ({ record }) => isRecord(record),
  gone: ({ tombstone }) => isTombstoneOrNull(tombstone),
};

const REASONS: Record<EndingReason, true> = {
  logout: true,
  revoked: true,
  evicted: true,
  idle: true,
  absolute: true,
  rotated: true,
};

/** @throws SOJOURN_STORE_CORRUPT for an answer that no store may give; it is not quoted */
export function checkAnswer(name: string, operation: GuardedOperation, answer: unknown): void {
  if (CHECKS[operation]?.(answer) ?? true) return;
  throw new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `the ${name} store gave an answer to '${operation}' that its contract does not allow: a field is missing or of a wrong type. Find out what else writes to this store, and run @sojourn/store-conformance on it`,
    { details: { operation } },
  );
}

function isOutcome(answer: unknown, allowed: readonly Status[]): boolean {
  const outcome = fieldsOf(answer);
  const status = allowed.find((word) => word === outcome["status"]);
  return status !== undefined && OUTCOMES[status](outcome);
}

function isRecord(value: unknown): boolean {
  const fields = fieldsOf(value);
  const { version, seenAt, absoluteExpiresAt, payload } = fields;
  return (
    Number.isFinite(version) &&
    Number.isFinite(seenAt) &&
    Number.isFinite(absoluteExpiresAt) &&
    typeof payload === "string" &&
    !("ending" in fields) &&
    isNamed(fields)
  );
}

function isTombstone(value: unknown): boolean {
  const found = fieldsOf(value);
  const { why, at, reason, successor } = fieldsOf(found["ending"]);
  const areTexts = [reason, successor].every((text) => text === undefined || isTextOrNull(text));
  const isReason = typeof why === "string" && Object.hasOwn(REASONS, why);
  return isReason && Number.isFinite(at) && areTexts && isNamed(found);
}

/** What records and tombstones have in common. */
function isNamed({ kind, key, handle, owner, createdAt, expiresAt }: Fields): boolean {
  return (
    typeof kind === "string" &&
    typeof key === "string" &&
    typeof handle === "string" &&
    isTextOrNull(owner) &&
    Number.isFinite(createdAt) &&
    Number.isFinite(expiresAt)
  );
}

function isOwner(entry: unknown): boolean {
  const { owner, active } = fieldsOf(entry);
  return typeof owner === "string" && isCount(active);
}

function isTombstoneOrNull(value: unknown): boolean {
  return value === null || isTombstone(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
