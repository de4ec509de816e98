/** The functions that change one row, and that let a record in: alone with its owner, within its limit. */
import type { Names } from "../names.ts";
import { alive } from "./judging.ts";

/** Raised where transactions do not see what others have committed: see `alone`. */
export const WRONG_ISOLATION = "SJ001";

/**
 * - `bury`: writes a tombstone in a record's place.
 * - `given`: a new record from its fields.
 * - `alone`: until the transaction ends, nobody else creates, replaces or ends records of the owner as
 *   a whole. That makes limits exact: each statement of a function sees what was committed before it
 *   began (READ COMMITTED), so what follows `alone` sees all that those before it did, and nothing can
 *   come in beside it. In a stricter isolation it would see the past, and is refused.
 * - `enter`: the same for a new record's owner; and its generation, read first of all: a record that
 *   takes the place of one that is then found alive cannot have outlived an `endAll` in between.
 * - `place`: refuses, or evicts, buries the old record where there is one, and inserts.
 */
export function admitting(names: Names): string {
  const { at } = names;
  const records = at("records");
  return `
CREATE FUNCTION ${at("bury")}(_row ${records}, _ending text, _to text DEFAULT NULL, _until double precision DEFAULT NULL)
RETURNS ${records} LANGUAGE plpgsql
AS $$ BEGIN
  _row := ${at("buried")}(_row, _ending);
  _row.expires_at := GREATEST(_row.expires_at, _until);
  UPDATE ${records} t SET payload = NULL, ending = _ending, expires_at = _row.expires_at,
    due_at = _row.expires_at, moved_to = _to, moved_until = _until
  WHERE t.kind = _row.kind AND t.key = _row.key;
  RETURN _row;
END $$;

CREATE FUNCTION ${at("given")}(
  _kind text, _key text, _handle text, _owner text, _version bigint, _created_at double precision,
  _seen_at double precision, _expires_at double precision, _absolute_expires_at double precision, _payload text
) RETURNS ${records} LANGUAGE plpgsql IMMUTABLE
AS $$ DECLARE
  made ${records};
BEGIN
  made.kind := _kind;
  made.key := _key;
  made.handle := _handle;
  made.owner := _owner;
  made.version := _version;
  made.created_at := _created_at;
  made.seen_at := _seen_at;
  made.expires_at := LEAST(_expires_at, _absolute_expires_at);
  made.absolute_expires_at := _absolute_expires_at;
  made.payload := _payload;
  RETURN made;
END $$;

CREATE FUNCTION ${at("alone")}(_kind text, _owner text) RETURNS void LANGUAGE plpgsql
AS $$ BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'transactions are %', current_setting('transaction_isolation') USING ERRCODE = '${WRONG_ISOLATION}';
  END IF;
  PERFORM pg_advisory_xact_lock('${records}'::regclass::oid::integer, hashtext(_kind || E'\\x01' || _owner));
END $$;

CREATE FUNCTION ${at("enter")}(_new ${records}) RETURNS ${records} LANGUAGE plpgsql
AS $$ BEGIN
  SELECT coalesce(max(g.number) + 1, 0) INTO _new.generation FROM ${at("generations")} g WHERE g.kind = _new.kind;
  IF _new.owner IS NOT NULL THEN
    PERFORM ${at("alone")}(_new.kind, _new.owner);
  END IF;
  RETURN _new;
END $$;

CREATE FUNCTION ${at("place")}(
  _new ${records}, _now double precision, _max double precision, _on_limit text, _evicting text,
  _old ${records} DEFAULT NULL, _ending text DEFAULT NULL, _until double precision DEFAULT NULL
) RETURNS SETOF ${at("answer")} LANGUAGE plpgsql
AS $$ DECLARE
  holder ${records};
  others text[];
  victim text;
  excess double precision;
  refusal ${at("answer")};
BEGIN
  FOR holder IN
    SELECT * FROM ${records} t WHERE t.kind = _new.kind AND t.key = _new.key
    UNION ALL
    SELECT * FROM ${records} t WHERE t.kind = _new.kind AND t.handle = _new.handle AND t.moved_to IS NULL
      AND t.handle IS DISTINCT FROM _old.handle
  LOOP
    IF (${at("judge")}(holder, _now)).key IS NOT NULL THEN
      RAISE EXCEPTION 'the key or the handle is taken' USING ERRCODE = 'unique_violation';
    END IF;
    DELETE FROM ${records} t WHERE t.kind = holder.kind AND t.key = holder.key;
  END LOOP;
  IF _new.owner IS NOT NULL AND _max IS NOT NULL THEN
    SELECT coalesce(array_agg(o.key ORDER BY CASE _on_limit WHEN 'evict-idle' THEN o.seen_at ELSE o.created_at END, o.serial), '{}')
    INTO others FROM (
      SELECT t.key, t.seen_at, t.created_at, t.serial FROM ${records} t
      WHERE t.kind = _new.kind AND t.owner = _new.owner AND ${alive(names, "_now")}
        AND t.serial IS DISTINCT FROM _old.serial
      ORDER BY t.serial FOR UPDATE
    ) o;
    excess := cardinality(others) + 1 - _max;
    IF excess > 0 AND (_on_limit = 'reject' OR _max < 1) THEN
      refusal.status := 'refused';
      refusal.active := cardinality(others);
      RETURN NEXT refusal;
      RETURN;
    END IF;
    FOREACH victim IN ARRAY others[1:ceil(GREATEST(excess, 0))::integer] LOOP
      SELECT * INTO holder FROM ${records} t WHERE t.kind = _new.kind AND t.key = victim;
      RETURN NEXT ${at("view")}('evicted', ${at("bury")}(holder, _evicting));
    END LOOP;
  END IF;
  IF _old.key IS NOT NULL THEN
    IF _old.handle = _new.handle THEN
      PERFORM ${at("bury")}(_old, _ending, _new.key, _until);
    ELSE
      PERFORM ${at("bury")}(_old, _ending);
    END IF;
  END IF;
  INSERT INTO ${records} (kind, key, handle, owner, version, created_at, seen_at, expires_at,
    absolute_expires_at, payload, generation, due_at)
  VALUES (_new.kind, _new.key, _new.handle, _new.owner, _new.version, _new.created_at, _new.seen_at,
    _new.expires_at, _new.absolute_expires_at, _new.payload, _new.generation, _new.expires_at);
END $$;
`;
}
