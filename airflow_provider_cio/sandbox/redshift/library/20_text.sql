-- String and hash functions ("String functions", "Hash functions" of the Redshift developer guide).
CREATE OR REPLACE FUNCTION rs.len(text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT length($1) $$;

CREATE OR REPLACE FUNCTION rs.textlen(text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT length($1) $$;

CREATE OR REPLACE FUNCTION rs.charindex(part text, whole text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT strpos(whole, part) $$;

CREATE OR REPLACE FUNCTION rs.concat(a text, b text) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (a || b)::varchar $$;

CREATE OR REPLACE FUNCTION rs.replicate(text, integer) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.repeat($1, $2)::varchar $$;

CREATE OR REPLACE FUNCTION rs.sha2(value text, bits integer) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE bits
        WHEN 256 THEN encode(sha256(convert_to(value, 'UTF8')), 'hex')
        WHEN 0 THEN encode(sha256(convert_to(value, 'UTF8')), 'hex')
        WHEN 224 THEN encode(sha224(convert_to(value, 'UTF8')), 'hex')
        WHEN 384 THEN encode(sha384(convert_to(value, 'UTF8')), 'hex')
        WHEN 512 THEN encode(sha512(convert_to(value, 'UTF8')), 'hex')
    END::varchar
$$;

CREATE OR REPLACE FUNCTION rs.sha1(value text) RETURNS varchar LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    mask constant bigint := 4294967295;
    message bytea := convert_to(value, 'UTF8');
    bits bigint := octet_length(message) * 8;
    h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
    w bigint[];
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
BEGIN
    message := message || '\x80'::bytea;
    message := message || decode(repeat('00', (119 - (octet_length(message) - 1) % 64) % 64), 'hex');
    message := message || int8send(bits);
    FOR start IN 0 .. octet_length(message) / 64 - 1 LOOP
        w := '{}';
        FOR i IN 0 .. 15 LOOP
            w := w || (('x' || encode(substring(message FROM start * 64 + i * 4 + 1 FOR 4), 'hex'))::bit(32)::bigint);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
            t := w[i - 2] # w[i - 7] # w[i - 13] # w[i - 15];
            w := w || (((t << 1) | (t >> 31)) & mask);
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR i IN 0 .. 79 LOOP
            IF i < 20 THEN f := (b & c) | ((~b & mask) & d); k := 1518500249;
            ELSIF i < 40 THEN f := b # c # d; k := 1859775393;
            ELSIF i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
            ELSE f := b # c # d; k := 3395469782;
            END IF;
            t := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i + 1]) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t;
        END LOOP;
        h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
    END LOOP;
    RETURN (SELECT string_agg(lpad(to_hex(part), 8, '0'), '' ORDER BY place) FROM unnest(h) WITH ORDINALITY x(part, place));
END
$$;

CREATE OR REPLACE FUNCTION rs.func_sha1(text) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT rs.sha1($1) $$;

CREATE OR REPLACE FUNCTION rs.sha(text) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT rs.sha1($1) $$;

-- FNV-1a, 64 bits, over the value's bytes in little-endian order.
CREATE OR REPLACE FUNCTION rs.fnv_bytes(bytes bytea, seed bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    modulus constant numeric := 18446744073709551616;
    hash bigint := coalesce(seed, -3750763034362895579);
    wide numeric;
BEGIN
    FOR i IN 0 .. octet_length(bytes) - 1 LOOP
        hash := hash # get_byte(bytes, i);
        wide := hash::numeric;
        IF wide < 0 THEN wide := wide + modulus; END IF;
        wide := mod(wide * 1099511628211, modulus);
        IF wide >= 9223372036854775808 THEN wide := wide - modulus; END IF;
        hash := wide::bigint;
    END LOOP;
    RETURN hash;
END
$$;

CREATE OR REPLACE FUNCTION rs.reversed(bytea) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg(substring($1 FROM i FOR 1), '' ORDER BY i DESC) FROM generate_series(1, octet_length($1)) AS i
$$;

CREATE OR REPLACE FUNCTION rs.fnv_hash(text, bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.fnv_bytes(convert_to($1, 'UTF8'), $2) $$;

CREATE OR REPLACE FUNCTION rs.fnv_hash(smallint, bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.fnv_bytes(rs.reversed(int2send($1)), $2) $$;

CREATE OR REPLACE FUNCTION rs.fnv_hash(integer, bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.fnv_bytes(rs.reversed(int4send($1)), $2) $$;

CREATE OR REPLACE FUNCTION rs.fnv_hash(bigint, bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT rs.fnv_bytes(rs.reversed(int8send($1)), $2) $$;

-- Digits of any base; the usual one is inlined.
CREATE OR REPLACE FUNCTION rs.strtol_any(digits text, base integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    bare text := lower(trim(digits));
    negative boolean := bare LIKE '-%';
    place integer;
    total bigint := 0;
BEGIN
    IF base NOT BETWEEN 2 AND 36 THEN
        RAISE EXCEPTION 'STRTOL: the base % is not between 2 and 36', base USING ERRCODE = '22023';
    END IF;
    bare := ltrim(bare, '+-');
    IF base = 16 THEN bare := regexp_replace(bare, '^0x', ''); END IF;
    IF bare = '' THEN RETURN 0; END IF;
    FOREACH bare IN ARRAY string_to_array(bare, NULL) LOOP
        place := strpos('0123456789abcdefghijklmnopqrstuvwxyz', bare) - 1;
        IF place < 0 OR place >= base THEN
            RAISE EXCEPTION 'The input % is not valid to be converted to base %', digits, base USING ERRCODE = '22023';
        END IF;
        total := total * base + place;
    END LOOP;
    RETURN CASE WHEN negative THEN -total ELSE total END;
END
$$;

CREATE OR REPLACE FUNCTION rs.strtol(digits text, base integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN base = 16 AND digits ~ '^[0-9a-fA-F]{1,15}$' THEN ('x' || lpad(digits, 16, '0'))::bit(64)::bigint
        ELSE rs.strtol_any(digits, base) END
$$;

-- Regular expressions: REGEXP_REPLACE replaces every match, REGEXP_SUBSTR answers '' when there is none.
CREATE OR REPLACE FUNCTION rs.regexp_flags(parameters text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT translate(parameters, 'cpe', '') $$;

CREATE OR REPLACE FUNCTION rs.regexp_replace(source text, pattern text) RETURNS varchar
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.regexp_replace(source, pattern, '', 'g')::varchar $$;

CREATE OR REPLACE FUNCTION rs.regexp_replace(source text, pattern text, replacement text) RETURNS varchar
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.regexp_replace(
        source, pattern,
        pg_catalog.regexp_replace(replace(replacement, E'\\', E'\\\\'), E'\\$(\\d)', E'\\\\\\1', 'g'),
        'g'
    )::varchar
$$;

CREATE OR REPLACE FUNCTION rs.regexp_replace(
    source text, pattern text, replacement text, position_ integer, parameters text DEFAULT ''
) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (left(source, position_ - 1) || pg_catalog.regexp_replace(
        substr(source, position_), pattern,
        pg_catalog.regexp_replace(replace(replacement, E'\\', E'\\\\'), E'\\$(\\d)', E'\\\\\\1', 'g'),
        'g' || rs.regexp_flags(parameters)
    ))::varchar
$$;

CREATE OR REPLACE FUNCTION rs.regexp_substr(
    source text, pattern text, position_ integer DEFAULT 1, occurrence integer DEFAULT 1, parameters text DEFAULT ''
) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(pg_catalog.regexp_substr(
        source, pattern, position_, occurrence, rs.regexp_flags(parameters),
        CASE WHEN parameters LIKE '%e%' THEN 1 ELSE 0 END
    ), '')::varchar
$$;

CREATE OR REPLACE FUNCTION rs.regexp_instr(
    source text, pattern text, position_ integer DEFAULT 1, occurrence integer DEFAULT 1, after_ integer DEFAULT 0,
    parameters text DEFAULT ''
) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.regexp_instr(
        source, pattern, position_, occurrence, after_, rs.regexp_flags(parameters),
        CASE WHEN parameters LIKE '%e%' THEN 1 ELSE 0 END
    )
$$;

CREATE OR REPLACE FUNCTION rs.regexp_count(
    source text, pattern text, position_ integer DEFAULT 1, parameters text DEFAULT ''
) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.regexp_count(source, pattern, position_, rs.regexp_flags(parameters))
$$
