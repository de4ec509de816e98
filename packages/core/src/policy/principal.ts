/** What counts as a principal. */
import { SojournError } from "../errors.ts";
import type { OwnerKey } from "../store/contract.ts";
import { parseTaggedOwner } from "../token/tag.ts";

const LONGEST = 512;

/** The principal as text. @throws SOJOURN_PRINCIPAL_INVALID for anything but a short text or a number */
export function principalName(principal: string | number): string {
  const name =
    typeof principal === "number" && Number.isFinite(principal) ? String(principal) : principal;
  if (
    typeof name !== "string" ||
    name.length === 0 ||
    name.length > LONGEST ||
    /\p{Surrogate}/u.test(name)
  ) {
    throw new SojournError(
      "SOJOURN_PRINCIPAL_INVALID",
      `a principal must be a user id: a number or a text of 1 to ${LONGEST} characters, but it was ${shape(principal)}`,
    );
  }
  return name;
}

function shape(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} characters`;
  return value === null ? "null" : `of type ${typeof value}`;
}

/** The principal of a record or a tombstone; null: nobody's. */
export function principalOf({ owner }: { readonly owner: OwnerKey | null }): string | null {
  return owner === null ? null : parseTaggedOwner(owner);
}
