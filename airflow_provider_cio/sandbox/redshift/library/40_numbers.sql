-- Averages of integers are integers ("AVG function"); roundings of floats.
CREATE OR REPLACE FUNCTION rs.average(bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT $1[2] / nullif($1[1], 0) $$;

CREATE OR REPLACE FUNCTION rs.averaged(numeric[], bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN $2 IS NULL THEN $1 ELSE ARRAY[$1[1] + 1, $1[2] + $2] END $$;

CREATE OR REPLACE FUNCTION rs.average_wide(numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT trunc($1[2] / nullif($1[1], 0))::bigint $$;

CREATE OR REPLACE AGGREGATE rs.avg(smallint) (
    sfunc = pg_catalog.int2_avg_accum, stype = bigint[], finalfunc = rs.average, initcond = '{0,0}'
);

CREATE OR REPLACE AGGREGATE rs.avg(integer) (
    sfunc = pg_catalog.int4_avg_accum, stype = bigint[], finalfunc = rs.average, initcond = '{0,0}'
);

CREATE OR REPLACE AGGREGATE rs.avg(bigint) (
    sfunc = rs.averaged, stype = numeric[], finalfunc = rs.average_wide, initcond = '{0,0}'
);

CREATE OR REPLACE FUNCTION rs.round(value double precision, digits integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.round(value::numeric, digits)::double precision $$;

CREATE OR REPLACE FUNCTION rs.trunc(value double precision, digits integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.trunc(value::numeric, digits)::double precision $$;

CREATE OR REPLACE FUNCTION rs.dlog1(double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT ln($1) $$;

CREATE OR REPLACE FUNCTION rs.dlog10(double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT log($1) $$;

CREATE OR REPLACE FUNCTION rs.dexp(double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT exp($1) $$;

-- Redshift has no cast from BOOLEAN to a text ("Type compatibility and conversion").
CREATE OR REPLACE FUNCTION rs.no_boolean_text(boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE EXCEPTION 'cannot cast type boolean to character varying' USING ERRCODE = '42846';
END
$$;

UPDATE pg_catalog.pg_cast SET castfunc = 'rs.no_boolean_text(boolean)'::regprocedure
WHERE castsource = 'boolean'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
    AND castfunc <> 'rs.no_boolean_text(boolean)'::regprocedure;
