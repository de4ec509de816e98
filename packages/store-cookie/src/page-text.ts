/** A page as text: the payload of a record of the ledger. */
import { SojournError } from "@sojourn/core/store";
import { corruptPage } from "./errors.ts";
import type { Ended, EpochEnded, Everyone, Page } from "./page.ts";

const VERSION = 1;

/** The text of a page. */
export function pageText({ ended, owners, everyone }: Page): string {
  return JSON.stringify({ v: VERSION, ended: [...ended], owners: [...owners], everyone });
}

/** @throws SOJOURN_STORE_CORRUPT, SOJOURN_STORE_NEWER_FORMAT; what cannot be read revokes nobody, so it stops everybody */
export function parsePage(text: string): Page {
  const { v, ended, owners, everyone } = fieldsOf(text);
  if (typeof v === "number" && v > VERSION) {
    throw new SojournError(
      "SOJOURN_STORE_NEWER_FORMAT",
      "a newer release wrote the epochs of cookieStore(); run that release. They were left as they are",
    );
  }
  const areEntries =
    isEntries<Ended>(ended, isEnded) && isEntries<EpochEnded>(owners, isEpochEnded);
  if (v !== VERSION || !areEntries || !isEveryone(everyone)) throw corruptPage();
  return { ended: new Map(ended), owners: new Map(owners), everyone };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(text: string): Fields {
  try {
    return asFields(JSON.parse(text));
  } catch {
    throw corruptPage();
  }
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function isEntries<T>(value: unknown, isEntry: (entry: Fields) => boolean): value is [string, T][] {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) =>
        Array.isArray(pair) &&
        typeof pair[0] === "string" &&
        Number.isFinite(asFields(pair[1])["until"]) &&
        isEnding(asFields(pair[1])["ending"]) &&
        isEntry(asFields(pair[1])),
    )
  );
}

function isEnded({ moved }: Fields): boolean {
  if (moved === undefined) return true;
  const { to, until } = asFields(moved);
  return typeof to === "string" && Number.isFinite(until);
}

function isEpochEnded({ epoch, spared }: Fields): boolean {
  if (!Number.isFinite(epoch)) return false;
  if (spared === undefined) return true;
  const { handle, from } = asFields(spared);
  return typeof handle === "string" && Number.isFinite(from);
}

function isEveryone(value: unknown): value is Everyone | null {
  if (value === null) return true;
  const { epoch, ending } = asFields(value);
  return Number.isFinite(epoch) && (ending === null || isEnding(ending));
}

function isEnding(value: unknown): boolean {
  return typeof asFields(value)["why"] === "string";
}
