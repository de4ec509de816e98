/** The tables: records with their tombstones, and what was ended as a whole. */
import type { Names } from "../names.ts";

/**
 * `records`: a row is a record (it has a payload) or a tombstone (it has an ending). Instants are Unix
 * ms as the process said them: the server's clock judges nothing. They are doubles, as all numbers of
 * the contract are, so that none comes back changed.
 * - `expires_at`: when the record dies, or the tombstone is forgotten.
 * - `moved_to`, `moved_until`: the key that took this one's place, and how long it still leads there.
 *   A handle has one row without `moved_to`, its newest.
 * - `generation`: how often the kind had been ended as a whole when the record began.
 * - `due_at`: when the reaper looks at the row, at the latest when something is to be done. A touch
 *   leaves it, so no index changes and Postgres writes in place (a heap-only tuple).
 *
 * `generations`: one row for each `endAll`. A record whose generation has a row is dead.
 * `endings`: the latest ending of an owner, for `adopt`. `meta`: the version of all this.
 *
 * Text compares by bytes (collation C): faster, the same everywhere, and no upgrade of the system's
 * locales can break an index.
 */
export function tables({ at, bare }: Names): string {
  return `
CREATE TABLE ${at("records")} (
  serial bigint GENERATED ALWAYS AS IDENTITY,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  handle text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  version bigint NOT NULL,
  created_at double precision NOT NULL,
  seen_at double precision NOT NULL,
  expires_at double precision NOT NULL,
  absolute_expires_at double precision NOT NULL,
  payload text,
  ending text,
  moved_to text COLLATE "C",
  moved_until double precision,
  generation bigint NOT NULL,
  due_at double precision NOT NULL,
  CONSTRAINT ${bare("key")} PRIMARY KEY (kind, key),
  CONSTRAINT ${bare("either")} CHECK ((payload IS NULL) <> (ending IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX ${bare("handle")} ON ${at("records")} (kind, handle) WHERE moved_to IS NULL;
CREATE INDEX ${bare("owner")} ON ${at("records")} (kind, owner, serial) WHERE ending IS NULL;
CREATE INDEX ${bare("due")} ON ${at("records")} (due_at);

CREATE TABLE ${at("generations")} (
  kind text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  at double precision NOT NULL,
  ending text NOT NULL,
  PRIMARY KEY (kind, number)
);

CREATE TABLE ${at("endings")} (
  kind text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  at double precision NOT NULL,
  ending text NOT NULL,
  PRIMARY KEY (kind, owner)
);
CREATE INDEX ${bare("ended")} ON ${at("endings")} (at);

CREATE TYPE ${at("answer")} AS (
  status text, active bigint,
  key text, handle text, owner text, version bigint,
  created_at double precision, seen_at double precision,
  expires_at double precision, absolute_expires_at double precision,
  payload text, ending text
);
`;
}
