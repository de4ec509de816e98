/** The function of the reaper: a batch of rows on which something is due. */
import { ENDING_REMEMBERED } from "@sojourn/core/store";
import type { Names } from "../names.ts";

/**
 * `reap`: tombstones whose time is over go, expired records become tombstones, and a record that was
 * touched since is due again at its new deadline. It takes only rows that nobody holds, so it waits for
 * nobody, and several do not get in each other's way. Answers how many rows it looked at.
 */
export function reaping({ at }: Names): string {
  const records = at("records");
  return `
CREATE FUNCTION ${at("reap")}(_now double precision, _most integer) RETURNS bigint LANGUAGE plpgsql
AS $$ DECLARE
  each ${records};
  judged ${records};
  looked bigint := 0;
BEGIN
  FOR each IN
    SELECT * FROM ${records} t WHERE t.due_at <= _now ORDER BY t.due_at LIMIT _most FOR UPDATE SKIP LOCKED
  LOOP
    looked := looked + 1;
    judged := ${at("judge")}(each, _now);
    IF judged.key IS NULL THEN
      DELETE FROM ${records} t WHERE t.kind = each.kind AND t.key = each.key;
    ELSIF judged.ending IS NULL THEN
      UPDATE ${records} t SET due_at = judged.expires_at WHERE t.kind = each.kind AND t.key = each.key;
    ELSE
      UPDATE ${records} t SET payload = NULL, ending = judged.ending, expires_at = judged.expires_at,
        due_at = judged.expires_at
      WHERE t.kind = each.kind AND t.key = each.key;
    END IF;
  END LOOP;
  DELETE FROM ${at("endings")} e WHERE (e.kind, e.owner) IN (
    SELECT o.kind, o.owner FROM ${at("endings")} o
    WHERE o.at <= _now - ${ENDING_REMEMBERED}::double precision ORDER BY o.at LIMIT _most FOR UPDATE SKIP LOCKED
  );
  RETURN looked;
END $$;
`;
}
