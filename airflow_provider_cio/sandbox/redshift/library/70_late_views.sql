-- Late-binding views: ordinary views that come and go with what they read.
CREATE OR REPLACE FUNCTION rs.full_name(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN array_length(parse_ident(name), 1) > 1 THEN name ELSE quote_ident(current_schema()) || '.' || name END
$$;

-- Take down the late views above a relation; other views stay and make PostgreSQL refuse, as Redshift does.
CREATE OR REPLACE FUNCTION rs.detach(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    above record;
BEGIN
    FOR above IN
        SELECT DISTINCT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
        FROM pg_depend d
        JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_class c ON c.oid = r.ev_class
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE d.refobjid = to_regclass(detach.name) AND c.oid <> d.refobjid
    LOOP
        IF EXISTS (SELECT FROM rs.late_views v WHERE v.name = above.name) AND to_regclass(above.name) IS NOT NULL THEN
            PERFORM rs.detach(above.name);
            EXECUTE 'DROP VIEW ' || above.name;
        END IF;
    END LOOP;
END
$$;

-- schema.name, also of database.schema.name: there is one database.
CREATE OR REPLACE FUNCTION rs.canonical(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(quote_ident(part), '.' ORDER BY place)
    FROM unnest(parse_ident(rs.full_name(name))) WITH ORDINALITY AS x(part, place)
    WHERE place > array_length(parse_ident(rs.full_name(name)), 1) - 2
$$;

CREATE OR REPLACE FUNCTION rs.put_up(wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    view rs.late_views;
    missing text;
    tried text := '';
BEGIN
    SELECT * INTO view FROM rs.late_views v WHERE v.name = wanted;
    LOOP
        BEGIN
            EXECUTE 'CREATE VIEW ' || view.name || view.columns || ' AS ' || view.definition;
            RETURN;
        EXCEPTION WHEN undefined_table THEN
            missing := regexp_replace(substring(SQLERRM FROM '"(.*)"'), '^[^.]+[.]([^.]+[.][^.]+)$', '\1');
            IF missing IS NULL OR missing = tried OR missing = wanted
                OR NOT EXISTS (SELECT FROM rs.late_views v WHERE v.name = missing) THEN
                RAISE;
            END IF;
            tried := missing;
            PERFORM rs.put_up(missing);
        END;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rs.try_put_up(wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rs.put_up(wanted);
EXCEPTION WHEN undefined_table OR undefined_column OR invalid_schema_name THEN
    NULL;
END
$$;

CREATE OR REPLACE FUNCTION rs.create_late_view(name text, columns text, definition text, replace boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    full_name text := rs.canonical(name);
BEGIN
    IF NOT replace AND (to_regclass(full_name) IS NOT NULL
        OR EXISTS (SELECT FROM rs.late_views v WHERE v.name = full_name)) THEN
        RAISE EXCEPTION 'Relation "%" already exists', name USING ERRCODE = '42P07';
    END IF;
    PERFORM rs.detach(full_name);
    IF to_regclass(full_name) IS NOT NULL THEN
        EXECUTE 'DROP VIEW ' || full_name;
    END IF;
    INSERT INTO rs.late_views VALUES (full_name, columns, definition)
    ON CONFLICT ON CONSTRAINT late_views_pkey
    DO UPDATE SET columns = EXCLUDED.columns, definition = EXCLUDED.definition;
    PERFORM rs.try_put_up(full_name);
END
$$;

-- Put up a late view that a statement names; anything else is left to PostgreSQL to refuse.
CREATE OR REPLACE FUNCTION rs.revive(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    full_name text := rs.canonical(name);
BEGIN
    IF EXISTS (SELECT FROM rs.late_views v WHERE v.name = full_name) THEN
        PERFORM pg_advisory_xact_lock(hashtext('rs.late_views'));
        IF to_regclass(full_name) IS NULL THEN
            PERFORM rs.put_up(full_name);
        END IF;
    END IF;
END
$$;

-- Before DROP VIEW: forget the definition, and have something to drop.
CREATE OR REPLACE FUNCTION rs.forget(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    full_name text := rs.canonical(name);
BEGIN
    DELETE FROM rs.late_views v WHERE v.name = full_name;
    IF FOUND AND to_regclass(full_name) IS NULL THEN
        EXECUTE 'CREATE VIEW ' || full_name || ' AS SELECT 1 AS forgotten';
    END IF;
END
$$;

-- Before CREATE OR REPLACE VIEW of an ordinary view in the place of a late one.
CREATE OR REPLACE FUNCTION rs.replace_late(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    full_name text := rs.canonical(name);
BEGIN
    DELETE FROM rs.late_views v WHERE v.name = full_name;
    IF FOUND AND to_regclass(full_name) IS NOT NULL THEN
        EXECUTE 'DROP VIEW ' || full_name;
    END IF;
END
$$;

-- ALTER TABLE ... RENAME TO: a late view takes its definition along, everything else is PostgreSQL's to rename.
CREATE OR REPLACE FUNCTION rs.rename_relation(name text, new_name text, statement text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    full_name text := rs.canonical(name);
    target text := quote_ident((parse_ident(full_name))[1]) || '.' || new_name;
BEGIN
    IF NOT EXISTS (SELECT FROM rs.late_views v WHERE v.name = full_name) THEN
        EXECUTE statement;
        RETURN;
    END IF;
    IF to_regclass(target) IS NOT NULL OR EXISTS (SELECT FROM rs.late_views v WHERE v.name = target) THEN
        RAISE EXCEPTION 'Relation "%" already exists', new_name USING ERRCODE = '42P07';
    END IF;
    IF to_regclass(full_name) IS NOT NULL THEN
        EXECUTE 'DROP VIEW ' || full_name;
    END IF;
    UPDATE rs.late_views v SET name = target WHERE v.name = full_name;
    PERFORM rs.try_put_up(target);
END
$$;

CREATE OR REPLACE FUNCTION rs.forget_schema(name text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM rs.late_views v WHERE starts_with(v.name, forget_schema.name || '.')
$$;
