/** The functions that say what a row is at an instant, and find the row of a reference. */
import type { Names } from "../names.ts";

/** How long an expired record is remembered when its absolute timeout has passed too: 1 h. */
const REMEMBER_EXPIRED = 3_600_000;

/** The condition that a row `t` of the records is alive at an instant: the same as `judge`, for an index. */
export function alive({ at }: Names, now: string): string {
  return `t.ending IS NULL AND t.expires_at > ${now} AND NOT EXISTS (
    SELECT FROM ${at("generations")} g WHERE g.kind = t.kind AND g.number = t.generation)`;
}

/** The fields of an answer, of a row `t` of the records. */
export const FIELDS =
  "t.key, t.handle, t.owner, t.version, t.created_at, t.seen_at, t.expires_at, t.absolute_expires_at, t.payload, t.ending";

/**
 * - `view`: a row as it is answered.
 * - `buried`: the tombstone of a record, kept until its absolute timeout; of a rotation until its deadline.
 * - `expired`: the tombstone of a record that expired by itself.
 * - `judge`: an alive record, a tombstone, or null.
 * - `read`: what is at a reference; a key in its grace time leads on.
 * - `locked`: the same for who will write: nobody else can change the row until the transaction ends. In READ
 *   COMMITTED, FOR UPDATE waits for whoever holds the row, and then gives it as it was left.
 */
export function judging({ at }: Names): string {
  const records = at("records");
  return `
CREATE FUNCTION ${at("view")}(_status text, t ${records}) RETURNS ${at("answer")} LANGUAGE sql IMMUTABLE
AS $$ SELECT ROW(_status, NULL, ${FIELDS})::${at("answer")} $$;

CREATE FUNCTION ${at("buried")}(_row ${records}, _ending text) RETURNS ${records} LANGUAGE plpgsql IMMUTABLE
AS $$ BEGIN
  IF NOT starts_with(_ending, '{"why":"rotated"') THEN
    _row.expires_at := _row.absolute_expires_at;
  END IF;
  _row.ending := _ending;
  _row.payload := NULL;
  RETURN _row;
END $$;

CREATE FUNCTION ${at("expired")}(_row ${records}) RETURNS ${records} LANGUAGE plpgsql IMMUTABLE
AS $$ DECLARE
  absolute boolean := _row.expires_at >= _row.absolute_expires_at;
BEGIN
  _row.ending := format('{"why":"%s","at":%s,"seenAt":%s}',
    CASE WHEN absolute THEN 'absolute' ELSE 'idle' END, _row.expires_at, _row.seen_at);
  _row.payload := NULL;
  _row.expires_at := CASE WHEN absolute THEN _row.expires_at + ${REMEMBER_EXPIRED} ELSE _row.absolute_expires_at END;
  RETURN _row;
END $$;

CREATE FUNCTION ${at("judge")}(_row ${records}, _now double precision) RETURNS ${records} LANGUAGE plpgsql STABLE
AS $$ DECLARE
  over ${at("generations")};
BEGIN
  IF _row.ending IS NULL THEN
    SELECT * INTO over FROM ${at("generations")} g WHERE g.kind = _row.kind AND g.number = _row.generation;
    IF FOUND AND _row.expires_at > over.at THEN
      _row := ${at("buried")}(_row, over.ending);
    ELSIF FOUND OR _row.expires_at <= _now THEN
      _row := ${at("expired")}(_row);
    END IF;
  END IF;
  RETURN CASE WHEN _row.expires_at > _now THEN _row END;
END $$;

CREATE FUNCTION ${at("read")}(_kind text, _key text, _handle text, _now double precision)
RETURNS SETOF ${at("answer")} LANGUAGE plpgsql STABLE
AS $$ DECLARE
  present ${records};
  judged ${records};
BEGIN
  IF _key IS NULL THEN
    SELECT * INTO present FROM ${records} t WHERE t.kind = _kind AND t.handle = _handle AND t.moved_to IS NULL;
  ELSE
    SELECT * INTO present FROM ${records} t WHERE t.kind = _kind AND t.key = _key;
  END IF;
  WHILE FOUND LOOP
    judged := ${at("judge")}(present, _now);
    EXIT WHEN present.moved_until IS NULL OR present.moved_until <= _now;
    SELECT * INTO present FROM ${records} t WHERE t.kind = _kind AND t.key = present.moved_to;
  END LOOP;
  IF judged.key IS NOT NULL THEN
    RETURN NEXT ${at("view")}('found', judged);
  END IF;
END $$;

CREATE FUNCTION ${at("locked")}(_kind text, _key text, _handle text, _now double precision)
RETURNS ${records} LANGUAGE plpgsql
AS $$ DECLARE
  wanted text := _key;
  present ${records};
  judged ${records};
BEGIN
  LOOP
    IF _key IS NULL THEN
      SELECT t.key INTO wanted FROM ${records} t WHERE t.kind = _kind AND t.handle = _handle AND t.moved_to IS NULL;
      EXIT WHEN NOT FOUND;
    END IF;
    SELECT * INTO present FROM ${records} t WHERE t.kind = _kind AND t.key = wanted FOR UPDATE;
    -- a handle may have moved on while this waited for the lock: look again
    CONTINUE WHEN _key IS NULL AND (NOT FOUND OR present.moved_to IS NOT NULL);
    EXIT WHEN NOT FOUND;
    judged := ${at("judge")}(present, _now);
    EXIT WHEN present.moved_until IS NULL OR present.moved_until <= _now;
    wanted := present.moved_to;
  END LOOP;
  RETURN judged;
END $$;
`;
}
