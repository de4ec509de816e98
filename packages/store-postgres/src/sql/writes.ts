/** The functions that change something, one for each operation of the store: each call is a transaction. */
import { CLOCK_TOLERANCE } from "@sojourn/core/store";
import type { Names } from "../names.ts";
import { alive } from "./judging.ts";

/** The arguments that an admission makes; null: no limit. */
const ADMISSION = "_max double precision, _on_limit text, _evicting text";
const REFERENCE = "_kind text, _key text, _handle text";

/** The functions that let records in. */
export function creating({ at }: Names): string {
  const records = at("records");
  const answers = `RETURNS SETOF ${at("answer")} LANGUAGE plpgsql`;
  return `
CREATE FUNCTION ${at("create")}(_new ${records}, _now double precision, ${ADMISSION}) ${answers}
AS $$ BEGIN
  RETURN QUERY SELECT * FROM ${at("place")}(${at("enter")}(_new), _now, _max, _on_limit, _evicting);
END $$;

CREATE FUNCTION ${at("adopt")}(_new ${records}, _now double precision, ${ADMISSION}) ${answers}
AS $$ DECLARE
  since double precision := _new.created_at - ${CLOCK_TOLERANCE};
  present ${records};
  ended ${at("answer")};
BEGIN
  _new := ${at("enter")}(_new);
  SELECT * INTO present FROM ${records} t
  WHERE t.kind = _new.kind AND t.key = _new.key AND t.handle = _new.handle FOR UPDATE;
  present := ${at("judge")}(present, _now);
  SELECT g.ending INTO ended.ending FROM ${at("generations")} g
  WHERE g.kind = _new.kind AND g.at >= since ORDER BY g.at DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT e.ending INTO ended.ending FROM ${at("endings")} e
    WHERE e.kind = _new.kind AND e.owner = _new.owner AND e.at >= since;
  END IF;
  IF FOUND THEN
    IF present.payload IS NOT NULL THEN
      PERFORM ${at("bury")}(present, ended.ending);
    END IF;
    ended.status := 'ended';
    RETURN NEXT ended;
  ELSIF present.payload IS NULL THEN
    RETURN QUERY SELECT * FROM ${at("place")}(_new, _now, _max, _on_limit, _evicting);
  ELSE
    ended.status := 'present';
    RETURN NEXT ended;
  END IF;
END $$;

CREATE FUNCTION ${at("replace")}(
  ${REFERENCE}, _version bigint, _ending text, _until double precision,
  _new ${records}, _now double precision, ${ADMISSION}
) ${answers}
AS $$ DECLARE
  old ${records};
BEGIN
  _new := ${at("enter")}(_new);
  old := ${at("locked")}(_kind, _key, _handle, _now);
  IF old.payload IS NULL THEN
    RETURN NEXT ${at("view")}('gone', old);
  ELSIF old.key <> _key THEN
    RETURN NEXT ${at("view")}('moved', old);
  ELSIF old.version <> _version THEN
    RETURN NEXT ${at("view")}('conflict', old);
  ELSE
    RETURN QUERY SELECT * FROM ${at("place")}(_new, _now, _max, _on_limit, _evicting, old, _ending, _until);
  END IF;
END $$;
`;
}

/** The functions that change a record and end records. */
export function changing(names: Names): string {
  const { at } = names;
  const records = at("records");
  const answers = `RETURNS SETOF ${at("answer")} LANGUAGE plpgsql`;
  return `
CREATE FUNCTION ${at("update")}(
  ${REFERENCE}, _version bigint, _payload text, _seen_at double precision, _expires_at double precision, _now double precision
) ${answers}
AS $$ DECLARE
  old ${records} := ${at("locked")}(_kind, _key, _handle, _now);
BEGIN
  IF old.payload IS NULL THEN
    RETURN NEXT ${at("view")}('gone', old);
  ELSIF old.version <> _version THEN
    RETURN NEXT ${at("view")}('conflict', old);
  ELSE
    UPDATE ${records} t SET payload = _payload, version = t.version + 1, seen_at = GREATEST(t.seen_at, _seen_at),
      expires_at = GREATEST(t.expires_at, LEAST(_expires_at, t.absolute_expires_at))
    WHERE t.kind = old.kind AND t.key = old.key RETURNING * INTO old;
    old.payload := NULL; -- who asked has it
    RETURN NEXT ${at("view")}('updated', old);
  END IF;
END $$;

CREATE FUNCTION ${at("touch")}(${REFERENCE}, _seen_at double precision, _expires_at double precision, _now double precision)
RETURNS boolean LANGUAGE plpgsql
AS $$ DECLARE
  old ${records} := ${at("locked")}(_kind, _key, _handle, _now);
BEGIN
  UPDATE ${records} t SET seen_at = GREATEST(t.seen_at, _seen_at),
    expires_at = GREATEST(t.expires_at, LEAST(_expires_at, t.absolute_expires_at))
  WHERE t.kind = old.kind AND t.key = old.key
    AND (t.seen_at < _seen_at OR t.expires_at < LEAST(_expires_at, t.absolute_expires_at))
    AND old.payload IS NOT NULL;
  RETURN old.payload IS NOT NULL;
END $$;

CREATE FUNCTION ${at("end")}(${REFERENCE}, _ending text, _now double precision) ${answers}
AS $$ DECLARE
  old ${records} := ${at("locked")}(_kind, _key, _handle, _now);
BEGIN
  IF old.payload IS NOT NULL THEN
    RETURN NEXT ${at("view")}('ended', ${at("bury")}(old, _ending));
  END IF;
END $$;

CREATE FUNCTION ${at("consume")}(${REFERENCE}, _now double precision) ${answers}
AS $$ DECLARE
  old ${records} := ${at("locked")}(_kind, _key, _handle, _now);
BEGIN
  IF old.payload IS NOT NULL THEN
    DELETE FROM ${records} t WHERE t.kind = old.kind AND t.key = old.key;
    RETURN NEXT ${at("view")}('taken', old);
  END IF;
END $$;

CREATE FUNCTION ${at("end_owner")}(
  _kind text, _owner text, _ending text, _at double precision, _except text, _now double precision
) RETURNS bigint LANGUAGE plpgsql
AS $$ DECLARE
  each ${records};
  ended bigint := 0;
BEGIN
  PERFORM ${at("alone")}(_kind, _owner);
  IF _except IS NOT NULL THEN
    each := ${at("locked")}(_kind, NULL, _except, _now);
    IF each.payload IS NULL OR each.owner IS DISTINCT FROM _owner THEN
      RETURN NULL;
    END IF;
  END IF;
  FOR each IN
    SELECT * FROM ${records} t WHERE t.kind = _kind AND t.owner = _owner AND ${alive(names, "_now")}
      AND t.handle IS DISTINCT FROM _except
    ORDER BY t.serial FOR UPDATE
  LOOP
    PERFORM ${at("bury")}(each, _ending);
    ended := ended + 1;
  END LOOP;
  INSERT INTO ${at("endings")} AS e (kind, owner, at, ending) VALUES (_kind, _owner, _at, _ending)
  ON CONFLICT (kind, owner) DO UPDATE SET at = excluded.at, ending = excluded.ending WHERE e.at < excluded.at;
  RETURN ended;
END $$;

CREATE FUNCTION ${at("end_all")}(_kind text, _ending text, _at double precision) RETURNS void LANGUAGE plpgsql
AS $$ BEGIN
  LOOP
    INSERT INTO ${at("generations")} (kind, number, at, ending)
    SELECT _kind, coalesce(max(g.number) + 1, 0), _at, _ending FROM ${at("generations")} g WHERE g.kind = _kind
    ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND; -- else another one ended that generation at the same time: the next one, then
  END LOOP;
END $$;
`;
}
