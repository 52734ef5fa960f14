-- SUPER (kept as jsonb) and JSON in texts ("SUPER type information functions", "JSON functions").
CREATE OR REPLACE FUNCTION rs.compact(json text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.regexp_replace(json, '("(?:[^"\\]|\\.)*")|([:,]) ', '\1\2', 'g')
$$;

CREATE OR REPLACE FUNCTION rs.json_serialize(jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT rs.compact($1::text)::varchar $$;

CREATE OR REPLACE FUNCTION rs.json_parse(json text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT json::jsonb $$;

CREATE OR REPLACE FUNCTION rs.can_json_parse(json text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT json IS JSON $$;

CREATE OR REPLACE FUNCTION rs.is_valid_json(json text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT json IS JSON $$;

CREATE OR REPLACE FUNCTION rs.is_valid_json_array(json text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT json IS JSON ARRAY $$;

CREATE OR REPLACE FUNCTION rs.json_at(json text, path text[], null_if_invalid boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN null_if_invalid AND NOT json IS JSON THEN NULL
        ELSE (SELECT CASE jsonb_typeof(found) WHEN 'string' THEN found #>> '{}' WHEN 'null' THEN NULL
            ELSE rs.compact((json::json #> path)::text) END FROM (SELECT json::jsonb #> path AS found) AS x)
    END::varchar
$$;

CREATE OR REPLACE FUNCTION rs.json_extract_path_text(json text, VARIADIC path text[]) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.json_at(json, path, false) $$;

CREATE OR REPLACE FUNCTION rs.json_extract_path_text(text, text, boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.json_at($1, ARRAY[$2], $3) $$;

CREATE OR REPLACE FUNCTION rs.json_extract_path_text(text, text, text, boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.json_at($1, ARRAY[$2, $3], $4) $$;

CREATE OR REPLACE FUNCTION rs.json_extract_path_text(text, text, text, text, boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.json_at($1, ARRAY[$2, $3, $4], $5) $$;

CREATE OR REPLACE FUNCTION rs.json_extract_array_element_text(json text, place integer, boolean DEFAULT false)
RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.json_at(json, ARRAY[place::text], $3) $$;

CREATE OR REPLACE FUNCTION rs.json_array_length(json text, null_if_invalid boolean DEFAULT false) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN null_if_invalid AND NOT json IS JSON ARRAY THEN NULL ELSE jsonb_array_length(json::jsonb) END
$$;

CREATE OR REPLACE FUNCTION rs.json_typeof(value jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value)::varchar $$;

CREATE OR REPLACE FUNCTION rs.json_size(value jsonb) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT octet_length(rs.compact(value::text)) $$;

CREATE OR REPLACE FUNCTION rs.is_array(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value) = 'array' $$;

CREATE OR REPLACE FUNCTION rs.is_object(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value) = 'object' $$;

CREATE OR REPLACE FUNCTION rs.is_varchar(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value) = 'string' $$;

CREATE OR REPLACE FUNCTION rs.is_boolean(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value) = 'boolean' $$;

CREATE OR REPLACE FUNCTION rs.is_scalar(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT jsonb_typeof(value) NOT IN ('array', 'object') $$;

CREATE OR REPLACE FUNCTION rs.get_array_length(value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value)::bigint END
$$;

CREATE OR REPLACE FUNCTION rs.array_concat(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT a || b $$;

CREATE OR REPLACE FUNCTION rs.split_to_array(value text, delimiter text DEFAULT ',') RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT to_jsonb(string_to_array(value, delimiter)) $$;

-- Navigation: a step into another kind of value is NULL; a scalar's text has no quotes.
CREATE OR REPLACE FUNCTION rs.super_text(value jsonb) RETURNS varchar
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(value) IN ('array', 'object') THEN rs.compact(value::text)
        ELSE value #>> '{}' END::varchar
$$;

CREATE OR REPLACE FUNCTION rs.super_at(value jsonb, step text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT value -> step $$;

CREATE OR REPLACE FUNCTION rs.super_at(value jsonb, step integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT value -> step $$;

CREATE OR REPLACE FUNCTION rs.elements(value jsonb) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value END)
$$;

CREATE OR REPLACE FUNCTION rs.members(value jsonb) RETURNS TABLE (name text, member jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT * FROM jsonb_each(CASE jsonb_typeof(value) WHEN 'object' THEN value END)
$$;

CREATE OR REPLACE FUNCTION rs.subarray(value jsonb, start_position integer, length integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_agg(element ORDER BY place), '[]') FROM jsonb_array_elements(value)
    WITH ORDINALITY AS x(element, place) WHERE place BETWEEN start_position + 1 AND start_position + length
$$;
