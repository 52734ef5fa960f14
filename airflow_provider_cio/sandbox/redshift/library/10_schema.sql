-- Bookkeeping of the local Redshift.
CREATE SCHEMA IF NOT EXISTS rs;

-- Only ever inserted into, so that sessions which create tables at once do not meet; the first row of a table counts.
CREATE TABLE IF NOT EXISTS rs.physical_notes (
    number bigint GENERATED ALWAYS AS IDENTITY,
    relation oid NOT NULL,
    style text NOT NULL,
    sort_keys text NOT NULL
);

CREATE OR REPLACE VIEW rs.physical AS
SELECT DISTINCT ON (relation) relation, style, sort_keys FROM rs.physical_notes ORDER BY relation, number;

CREATE TABLE IF NOT EXISTS rs.late_views (
    name text PRIMARY KEY,        -- as to_regclass reads it, with its schema
    columns text NOT NULL,        -- '' or '(a, b)'
    definition text NOT NULL      -- PostgreSQL text
);

CREATE TABLE IF NOT EXISTS rs.load_errors (
    query bigint,
    session int,
    file text,
    line bigint,
    col text,
    type text,
    col_length text,
    position int,
    raw_line text,
    raw_field text,
    err_code int,
    err_reason text,
    at timestamp,
    tbl oid,
    userid int,
    copy_job_id bigint
);

CREATE OR REPLACE FUNCTION rs.note_physical(name text, style text, sort_keys text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO rs.physical_notes (relation, style, sort_keys)
    SELECT oid, style, sort_keys FROM pg_catalog.pg_class WHERE oid = to_regclass(name)
$$;

CREATE OR REPLACE FUNCTION rs.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('rs.last_copy_count', true), ''), '0')::bigint
$$;

CREATE OR REPLACE FUNCTION rs.pg_last_unload_count() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('rs.last_unload_count', true), ''), '0')::bigint
$$;

CREATE OR REPLACE FUNCTION rs.version() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'PostgreSQL 8.0.2, Redshift 1.0 (local sandbox on PostgreSQL ' || current_setting('server_version') || ')'
$$;
