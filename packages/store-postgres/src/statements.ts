/** The statements that the store sends: each operation is one, prepared once on each connection. */
import { createHash } from "node:crypto";
import type { Names } from "./names.ts";
import { alive, FIELDS } from "./sql/judging.ts";

/** A statement with a name that is its own, also where two stores share a pool. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const OPERATIONS = [
  "read",
  "readHandle",
  "create",
  "adopt",
  "update",
  "touch",
  "replace",
  "end",
  "endOwner",
  "endAll",
  "consume",
  "listOwner",
  "scan",
  "count",
  "owners",
  "reap",
] as const;

/** An operation that is a statement. */
export type Operation = (typeof OPERATIONS)[number];

/** The statements of one store. */
export function statementsFor(names: Names): Readonly<Record<Operation, Statement>> {
  const texts = textsFor(names);
  const named = OPERATIONS.map((operation) => {
    const text = texts[operation];
    const hash = createHash("sha1").update(text).digest("hex").slice(0, 16);
    return [operation, { name: `sojourn_${operation}_${hash}`, text }] as const;
  });
  return Object.fromEntries(named) as Record<Operation, Statement>;
}

/** The parameters of each are in the order in which `store.ts` gives them. */
function textsFor(names: Names): Record<Operation, string> {
  const { at } = names;
  const call = (name: string, count: number): string =>
    `SELECT * FROM ${at(name)}(${parameters(1, count)})`;
  const given = (first: number): string => `${at("given")}(${parameters(first, 10)})`;
  const records = `${at("records")} t`;
  return {
    read: `SELECT asked.place::int, found.* FROM unnest($2::text[]) WITH ORDINALITY AS asked (key, place),
      LATERAL ${at("read")}($1, asked.key, NULL, $3) AS found`,
    readHandle: `SELECT * FROM ${at("read")}($1, NULL, $2, $3)`,
    create: `SELECT * FROM ${at("create")}(${given(5)}, ${parameters(1, 4)})`,
    adopt: `SELECT * FROM ${at("adopt")}(${given(5)}, ${parameters(1, 4)})`,
    update: call("update", 8),
    touch: `SELECT ${at("touch")}(${parameters(1, 6)}) AS touched`,
    replace: `SELECT * FROM ${at("replace")}(${parameters(1, 6)}, ${given(11)}, ${parameters(7, 4)})`,
    end: call("end", 5),
    endOwner: `SELECT ${at("end_owner")}(${parameters(1, 6)}) AS ended`,
    endAll: `SELECT ${at("end_all")}(${parameters(1, 3)})`,
    consume: call("consume", 4),
    listOwner: `SELECT ${FIELDS} FROM ${records} WHERE t.kind = $1 AND t.owner = $2 AND ${alive(names, "$3")}
      ORDER BY t.created_at, t.serial`,
    scan: `SELECT ${FIELDS} FROM ${records} WHERE t.kind = $1 AND t.handle > $2 AND t.moved_to IS NULL
      AND ${alive(names, "$3")} ORDER BY t.handle LIMIT $4`,
    count: `SELECT count(*) AS active, count(DISTINCT t.owner) AS principals FROM ${records}
      WHERE t.kind = $1 AND ${alive(names, "$2")}`,
    owners: `SELECT t.owner, count(*) AS active FROM ${records} WHERE t.kind = $1 AND t.owner > $2
      AND ${alive(names, "$3")} GROUP BY t.owner ORDER BY t.owner LIMIT $4`,
    reap: `SELECT ${at("reap")}(${parameters(1, 2)}) AS looked`,
  };
}

/** `$3, $4, $5` for (3, 3). */
function parameters(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `$${first + index}`).join(", ");
}
