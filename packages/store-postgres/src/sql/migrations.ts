/** The steps from an empty database to the present format, each in one transaction with its number. */
import type { Names } from "../names.ts";
import { admitting } from "./admitting.ts";
import { judging } from "./judging.ts";
import { reaping } from "./reaping.ts";
import { tables } from "./tables.ts";
import { changing, creating } from "./writes.ts";

/** One step: the statements that lead from a version to the next. */
export type Migration = (names: Names) => string;

/** The steps in order. What has been released is never changed: append. */
export const MIGRATIONS: readonly Migration[] = [
  (names) =>
    [tables, judging, admitting, creating, changing, reaping].map((part) => part(names)).join(""),
];
