-- System views, with the columns that programs read.
CREATE OR REPLACE FUNCTION rs.type_name(kind oid, modifier integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN kind = 'jsonb'::regtype THEN 'super' ELSE format_type(kind, modifier) END
$$;

CREATE OR REPLACE VIEW rs.relations AS
SELECT c.oid, c.relname, c.relnamespace, n.nspname, c.relkind, c.relpersistence, c.reltuples,
    pg_get_userbyid(c.relowner) AS owner
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'rs', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm');

CREATE OR REPLACE VIEW rs.svv_tables AS
SELECT current_database()::varchar AS table_catalog, nspname::varchar AS table_schema, relname::varchar AS table_name,
    (CASE WHEN relkind IN ('v', 'm') THEN 'VIEW' WHEN relpersistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END)::varchar
        AS table_type,
    obj_description(oid, 'pg_class')::varchar AS remarks
FROM rs.relations;

CREATE OR REPLACE VIEW rs.svv_columns AS
SELECT table_catalog::varchar, table_schema::varchar, table_name::varchar, column_name::varchar,
    ordinal_position::integer, column_default::varchar, is_nullable::varchar,
    (CASE data_type WHEN 'jsonb' THEN 'super' ELSE data_type END)::varchar AS data_type,
    character_maximum_length::integer, numeric_precision::integer, numeric_precision_radix::integer,
    numeric_scale::integer, datetime_precision::integer, NULL::varchar AS interval_type,
    NULL::varchar AS interval_precision, NULL::varchar AS character_set_catalog,
    NULL::varchar AS character_set_schema, NULL::varchar AS character_set_name, NULL::varchar AS collation_catalog,
    NULL::varchar AS collation_schema, NULL::varchar AS collation_name, NULL::varchar AS domain_name,
    NULL::varchar AS remarks
FROM information_schema.columns WHERE table_schema NOT IN ('rs', 'pg_catalog', 'information_schema');

CREATE OR REPLACE VIEW rs.svv_all_tables AS
SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, table_type, remarks FROM rs.svv_tables;

CREATE OR REPLACE VIEW rs.svv_all_columns AS
SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, column_name, ordinal_position,
    column_default, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, remarks
FROM rs.svv_columns;

CREATE OR REPLACE VIEW rs.svv_redshift_tables AS
SELECT database_name, schema_name, table_name, table_type, NULL::varchar AS table_acl, remarks FROM rs.svv_all_tables;

CREATE OR REPLACE VIEW rs.svv_redshift_columns AS
SELECT database_name, schema_name, table_name, column_name, ordinal_position, data_type, column_default, is_nullable,
    'none'::varchar AS encoding, false AS distkey, 0 AS sortkey, NULL::varchar AS column_acl, remarks
FROM rs.svv_all_columns;

CREATE OR REPLACE VIEW rs.svv_table_info AS
SELECT current_database()::varchar AS database, r.nspname::varchar AS schema, r.oid AS table_id,
    r.relname::varchar AS "table", 'Y'::varchar AS encoded, coalesce(p.style, 'AUTO(ALL)')::varchar AS diststyle,
    nullif(split_part(p.sort_keys, ',', 1), '')::varchar AS sortkey1, NULL::integer AS max_varchar,
    NULL::varchar AS sortkey1_enc,
    coalesce(cardinality(string_to_array(nullif(p.sort_keys, ''), ',')), 0) AS sortkey_num,
    ceil(pg_table_size(r.oid) / 1048576.0)::bigint AS size, 0.0::numeric(10, 4) AS pct_used, 0::bigint AS empty,
    NULL::numeric(5, 2) AS unsorted, NULL::numeric(5, 2) AS stats_off,
    greatest(r.reltuples, 0)::numeric(38, 0) AS tbl_rows, NULL::numeric(19, 2) AS skew_sortkey1,
    NULL::numeric(19, 2) AS skew_rows, greatest(r.reltuples, 0)::numeric(38, 0) AS estimated_visible_rows,
    NULL::varchar AS risk_event, NULL::numeric(12, 2) AS vacuum_sort_benefit
FROM rs.relations r
LEFT JOIN rs.physical p ON p.relation = r.oid
WHERE r.relkind = 'r';

CREATE OR REPLACE VIEW rs.pg_table_def AS
SELECT r.nspname AS schemaname, r.relname AS tablename, a.attname AS "column",
    rs.type_name(a.atttypid, a.atttypmod) AS type, 'none'::varchar AS encoding,
    coalesce(p.style = 'KEY(' || a.attname || ')', false) AS distkey,
    coalesce(array_position(string_to_array(p.sort_keys, ','), a.attname::text), 0) AS sortkey, a.attnotnull AS "notnull"
FROM rs.relations r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN rs.physical p ON p.relation = r.oid
WHERE r.relkind = 'r' AND (r.nspname = ANY (current_schemas(false)) OR pg_table_is_visible(r.oid));

CREATE OR REPLACE VIEW rs.stl_load_errors AS
SELECT userid, 0 AS slice, tbl::integer AS tbl, at AS starttime, session, query::integer AS query,
    file::char(256) AS filename, line AS line_number, col::char(127) AS colname, type::char(10) AS type,
    col_length::char(10) AS col_length, position, raw_line::char(1024) AS raw_line,
    raw_field::char(1024) AS raw_field_value, err_code, err_reason::char(100) AS err_reason, 0 AS is_partial,
    0 AS start_offset, copy_job_id
FROM rs.load_errors;

CREATE OR REPLACE VIEW rs.sys_load_error_detail AS
SELECT userid AS user_id, query AS query_id, NULL::bigint AS transaction_id, session AS session_id,
    current_database()::varchar AS database_name, tbl::integer AS table_id, at AS start_time,
    file::varchar AS file_name, line AS line_number, col::varchar AS column_name, type::varchar AS column_type,
    col_length::varchar AS column_length, position, raw_field::varchar AS raw_field_value, err_code AS error_code,
    err_reason::varchar AS error_message
FROM rs.load_errors;

-- Spectrum is left out, so these are empty; drivers read them when they list schemas, tables and columns.
CREATE OR REPLACE VIEW rs.svv_external_schemas AS
SELECT NULL::oid AS esoid, NULL::smallint AS eskind, NULL::varchar AS schemaname, NULL::integer AS esowner,
    NULL::varchar AS databasename, NULL::varchar AS esoptions
WHERE false;

CREATE OR REPLACE VIEW rs.svv_external_tables AS
SELECT NULL::varchar AS redshift_database_name, NULL::varchar AS schemaname, NULL::varchar AS tablename,
    NULL::varchar AS tabletype, NULL::varchar AS location, NULL::varchar AS input_format,
    NULL::varchar AS output_format, NULL::varchar AS serialization_lib, NULL::varchar AS serde_parameters,
    NULL::integer AS compressed, NULL::varchar AS parameters
WHERE false;

CREATE OR REPLACE VIEW rs.svv_external_columns AS
SELECT NULL::varchar AS redshift_database_name, NULL::varchar AS schemaname, NULL::varchar AS tablename,
    NULL::varchar AS columnname, NULL::varchar AS external_type, NULL::integer AS columnnum,
    NULL::integer AS part_key, NULL::varchar AS is_nullable
WHERE false;
