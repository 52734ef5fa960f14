-- Dates and times ("Date and time functions"). The rewriter writes date parts by their full names, and as it knows
-- them, DATEDIFF and DATEADD become expressions that PostgreSQL inlines.
CREATE OR REPLACE FUNCTION rs.getdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;

CREATE OR REPLACE FUNCTION rs.sysdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;

-- DATEDIFF counts boundaries: rs.days_of(b) - rs.days_of(a), and so on. A week begins on Sunday.
DO $do$
DECLARE
    unit record;
    kind record;
BEGIN
    FOR unit IN SELECT * FROM (VALUES
        ('microsecond', '(pg_catalog.date_part(''epoch'', date_trunc(''second'', m)) * 1000000)::bigint'
            ' + pg_catalog.date_part(''microseconds'', m)::bigint % 1000000'),
        ('millisecond', 'floor(extract(epoch FROM m) * 1000)::bigint'),
        ('second', 'floor(pg_catalog.date_part(''epoch'', m))::bigint'),
        ('minute', 'floor(pg_catalog.date_part(''epoch'', m) / 60)::bigint'),
        ('hour', 'floor(pg_catalog.date_part(''epoch'', m) / 3600)::bigint'),
        ('day', '(m::date - date ''1970-01-01'')::bigint'),
        ('week', '((m::date - date ''1970-01-04'' + 70000000) / 7)::bigint'),
        ('month', '(extract(year FROM m) * 12 + extract(month FROM m))::bigint'),
        ('quarter', '(extract(year FROM m) * 4 + extract(quarter FROM m))::bigint'),
        ('year', 'extract(year FROM m)::bigint'),
        ('decade', 'extract(decade FROM m)::bigint'),
        ('century', 'extract(century FROM m)::bigint'),
        ('millennium', 'extract(millennium FROM m)::bigint')
    ) AS units (name, expression) LOOP
        FOR kind IN SELECT * FROM (VALUES
            ('timestamp', '$1', 'IMMUTABLE'),
            ('date', '$1::timestamp', 'IMMUTABLE'),
            ('timestamptz', '($1 AT TIME ZONE ''UTC'')', 'IMMUTABLE'),
            ('text', '$1::timestamp', 'STABLE')
        ) AS kinds (name, moment, volatility) LOOP
            EXECUTE format(
                'CREATE OR REPLACE FUNCTION rs.%ss_of(%s) RETURNS bigint LANGUAGE sql %s PARALLEL SAFE AS %L',
                unit.name, kind.name, kind.volatility, 'SELECT ' || regexp_replace(unit.expression, '\mm\M', kind.moment, 'g')
            );
        END LOOP;
    END LOOP;
END
$do$;

CREATE OR REPLACE FUNCTION rs.moved(moment timestamp, span interval) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT moment + span $$;

CREATE OR REPLACE FUNCTION rs.moved(moment date, span interval) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT moment + span $$;

CREATE OR REPLACE FUNCTION rs.moved(moment text, span interval) RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT moment::timestamp + span $$;

CREATE OR REPLACE FUNCTION rs.moved(moment timestamptz, span interval) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT moment + span $$;

CREATE OR REPLACE FUNCTION rs.moved(moment time, span interval) RETURNS time LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT moment + span $$;

CREATE OR REPLACE FUNCTION rs.date_trunc(part text, moment timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_trunc(part, moment) $$;

CREATE OR REPLACE FUNCTION rs.date_trunc(part text, moment date) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_trunc(part, moment::timestamp) $$;

CREATE OR REPLACE FUNCTION rs.date_trunc(part text, moment text) RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_trunc(part, moment::timestamp) $$;

CREATE OR REPLACE FUNCTION rs.date_trunc(part text, moment timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_trunc(part, moment) $$;

-- EXTRACT ignores what is above and below the part; DATE_PART answers a DOUBLE.
CREATE OR REPLACE FUNCTION rs.extracted(part text, moment timestamp) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment)) END::integer
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment timestamp) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment) $$;

CREATE OR REPLACE FUNCTION rs.extracted(part text, moment date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment::timestamp))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment::timestamp)) END::integer
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment date) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment::timestamp) $$;

CREATE OR REPLACE FUNCTION rs.extracted(part text, moment text) RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment::timestamp))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment::timestamp)) END::integer
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment text) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment::timestamp) $$;

CREATE OR REPLACE FUNCTION rs.extracted(part text, moment timestamptz) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment)) END::double precision
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment timestamptz) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment) $$;

CREATE OR REPLACE FUNCTION rs.extracted(part text, moment time) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment)) END::integer
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment time) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment) $$;

CREATE OR REPLACE FUNCTION rs.extracted(part text, moment interval) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part IN ('millisecond', 'microsecond')
        THEN floor(pg_catalog.date_part(part, moment))::bigint % 1000
        ELSE floor(pg_catalog.date_part(part, moment)) END::integer
$$;

CREATE OR REPLACE FUNCTION rs.datepart(part text, moment interval) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.date_part(part, moment) $$;

CREATE OR REPLACE FUNCTION rs.convert_timezone(source text, target text, moment timestamp) RETURNS timestamp
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT moment AT TIME ZONE source AT TIME ZONE target $$;

CREATE OR REPLACE FUNCTION rs.convert_timezone(target text, moment timestamp) RETURNS timestamp
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT moment AT TIME ZONE 'UTC' AT TIME ZONE target $$;

CREATE OR REPLACE FUNCTION rs.convert_timezone(target text, moment timestamptz) RETURNS timestamp
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT moment AT TIME ZONE target $$;

CREATE OR REPLACE FUNCTION rs.convert_timezone(target text, moment text) RETURNS timestamp
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT rs.convert_timezone(target, moment::timestamp) $$;

CREATE OR REPLACE FUNCTION rs.last_day(moment timestamp) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (pg_catalog.date_trunc('month', moment) + interval '1 month' - interval '1 day')::date
$$;

CREATE OR REPLACE FUNCTION rs.trunc(moment timestamp) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT moment::date $$;

-- The last day of a month stays one.
CREATE OR REPLACE FUNCTION rs.add_months(moment timestamp, number integer) RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment::date = rs.last_day(moment)
        THEN rs.last_day(moment + make_interval(months => number)) + moment::time
        ELSE moment + make_interval(months => number) END
$$;

CREATE OR REPLACE FUNCTION rs.months_between(a timestamp, b timestamp) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (extract(year FROM a) - extract(year FROM b)) * 12 + (extract(month FROM a) - extract(month FROM b))
        + CASE WHEN extract(day FROM a) = extract(day FROM b)
                OR (a::date = rs.last_day(a) AND b::date = rs.last_day(b)) THEN 0
            ELSE extract(epoch FROM ((a - pg_catalog.date_trunc('month', a)) - (b - pg_catalog.date_trunc('month', b))))
                / 86400.0 / 31 END::double precision
$$;

CREATE OR REPLACE FUNCTION rs.next_day(moment timestamp, weekday text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT day::date FROM generate_series(moment::date + 1, moment::date + 7, interval '1 day') AS day
    WHERE to_char(day, 'dy') = left(lower(weekday), 3)
        OR (length(weekday) < 3 AND starts_with(to_char(day, 'day'), lower(weekday)))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION rs.date_cmp(a date, b date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN a = b THEN 0 WHEN a < b THEN -1 WHEN a > b THEN 1 END $$;

CREATE OR REPLACE FUNCTION rs.timestamp_cmp(a timestamp, b timestamp) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE WHEN a = b THEN 0 WHEN a < b THEN -1 WHEN a > b THEN 1 END $$;

CREATE OR REPLACE FUNCTION rs.date_part_year(a date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT extract(year FROM a)::integer $$;
