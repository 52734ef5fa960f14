"""What PostgreSQL knows and Redshift refuses, as words.

Sources: pages "Unsupported PostgreSQL features", "Unsupported PostgreSQL data types", "Unsupported PostgreSQL
functions", and the pages of the statements named here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """Words that refuse a statement wherever they stand in it, or only in statements that begin with ``within``."""

    rule: str
    words: tuple[str, ...]
    message: str
    next_step: str
    within: frozenset[str] = frozenset()


def _phrase(rule: str, words: str, message: str, next_step: str, within: str = "") -> Phrase:
    return Phrase(rule, tuple(words.split()), message, next_step, frozenset(within.split()))


_MERGE = "use MERGE, or DELETE and INSERT in one transaction"
_WRITES = "INSERT UPDATE DELETE MERGE WITH"
PHRASES = (
    _phrase("on-conflict", "ON CONFLICT", "Redshift has no ON CONFLICT", _MERGE),
    _phrase("returning", "RETURNING", "Redshift has no RETURNING", "SELECT the rows by their key", _WRITES),
    _phrase(
        "distinct-on",
        "DISTINCT ON (",
        "Redshift has no DISTINCT ON",
        "use QUALIFY ROW_NUMBER() OVER (...) = 1",
    ),
    _phrase("filter", ") FILTER (", "Redshift has no FILTER", "use CASE inside the aggregate"),
    _phrase("lateral", "LATERAL", "Redshift has no LATERAL", "join a subquery, or unnest SUPER in FROM"),
    _phrase(
        "is-distinct-from",
        "IS DISTINCT FROM",
        "Redshift has no IS DISTINCT FROM",
        "compare NVL(a, '') and NVL(b, '')",
    ),
    _phrase(
        "is-distinct-from",
        "IS NOT DISTINCT FROM",
        "Redshift has no IS NOT DISTINCT FROM",
        "use a = b OR (a IS NULL AND b IS NULL)",
    ),
    _phrase(
        "savepoint",
        "SAVEPOINT",
        "Redshift has no savepoints",
        "use a transaction of its own",
        "SAVEPOINT RELEASE",
    ),
    _phrase(
        "savepoint",
        "ROLLBACK TO",
        "Redshift has no savepoints",
        "roll the whole transaction back",
        "ROLLBACK",
    ),
    _phrase("index", "CREATE INDEX", "Redshift has no indexes", "choose a SORTKEY"),
    _phrase(
        "index", "CREATE UNIQUE INDEX", "Redshift has no indexes", "choose a SORTKEY and test for duplicates"
    ),
    _phrase("index", "DROP INDEX", "Redshift has no indexes", "remove the statement"),
    _phrase(
        "index",
        "REINDEX",
        "Redshift has no indexes",
        "use VACUUM REINDEX for interleaved sort keys",
        "REINDEX",
    ),
    _phrase("trigger", "CREATE TRIGGER", "Redshift has no triggers", "do it in the statement that writes"),
    _phrase("sequence", "CREATE SEQUENCE", "Redshift has no sequences", "use an IDENTITY column"),
    _phrase("enum", "CREATE TYPE", "Redshift has no user-defined types", "use VARCHAR"),
    _phrase("enum", "CREATE DOMAIN", "Redshift has no domains", "use a plain type"),
    _phrase("extension", "CREATE EXTENSION", "Redshift has no extensions", "remove the statement"),
    _phrase("rule", "CREATE RULE", "Redshift has no rules", "use a view"),
    _phrase("tablespace", "TABLESPACE", "Redshift has no tablespaces", "remove the clause", "CREATE ALTER"),
    _phrase(
        "inheritance",
        "INHERITS (",
        "Redshift has no table inheritance",
        "use a view with UNION ALL",
        "CREATE",
    ),
    _phrase(
        "partition",
        ") PARTITION BY",
        "Redshift has no partitioned tables",
        "choose DISTKEY and SORTKEY",
        "CREATE",
    ),
    _phrase("unlogged", "CREATE UNLOGGED", "Redshift has no unlogged tables", "use a temporary table"),
    _phrase("check", "CHECK (", "Redshift has no CHECK constraints", "test the data instead", "CREATE ALTER"),
    _phrase(
        "on-delete", "ON DELETE", "Redshift enforces no foreign keys", "remove ON DELETE", "CREATE ALTER"
    ),
    _phrase(
        "on-delete", "ON UPDATE", "Redshift enforces no foreign keys", "remove ON UPDATE", "CREATE ALTER"
    ),
    _phrase(
        "add-column",
        "ADD COLUMN IF NOT EXISTS",
        "Redshift's ADD COLUMN has no IF NOT EXISTS",
        "look into SVV_COLUMNS first",
        "ALTER",
    ),
    _phrase(
        "values", "FROM ( VALUES", "Redshift has no VALUES as a table", "use SELECT ... UNION ALL SELECT"
    ),
    _phrase(
        "values", "JOIN ( VALUES", "Redshift has no VALUES as a table", "use SELECT ... UNION ALL SELECT"
    ),
    _phrase("values", "USING ( VALUES", "Redshift has no VALUES as a table", "use a table as the source"),
    _phrase("values", "AS ( VALUES", "Redshift has no VALUES as a table", "use SELECT ... UNION ALL SELECT"),
    _phrase("values", "VALUES", "Redshift has no VALUES statement", "use SELECT", "VALUES"),
    _phrase("set-all", "EXCEPT ALL", "Redshift has no EXCEPT ALL", "number the rows and use EXCEPT"),
    _phrase("set-all", "INTERSECT ALL", "Redshift has no INTERSECT ALL", "number the rows and use INTERSECT"),
    _phrase(
        "fetch-first", "FETCH FIRST", "Redshift has no FETCH FIRST in queries", "use LIMIT", "SELECT WITH"
    ),
    _phrase(
        "row-lock", "FOR UPDATE", "Redshift locks whole tables", "use LOCK, or leave it out", "SELECT WITH"
    ),
    _phrase("row-lock", "FOR SHARE", "Redshift locks whole tables", "leave it out", "SELECT WITH"),
    _phrase("tablesample", "TABLESAMPLE", "Redshift has no TABLESAMPLE", "filter on RANDOM() or a hash"),
    _phrase(
        "ordinality", "WITH ORDINALITY", "Redshift has no WITH ORDINALITY", "use AT in FROM for SUPER arrays"
    ),
    _phrase(
        "concurrently", "CONCURRENTLY", "Redshift has no CONCURRENTLY", "leave it out", "CREATE DROP REFRESH"
    ),
    _phrase("fetch-first", "FETCH NEXT", "Redshift has no FETCH NEXT in queries", "use LIMIT", "SELECT WITH"),
    _phrase("with-ties", "WITH TIES", "Redshift has no WITH TIES", "use QUALIFY RANK() OVER (...)"),
    _phrase("symmetric", "BETWEEN SYMMETRIC", "Redshift has no BETWEEN SYMMETRIC", "order the two bounds"),
    _phrase(
        "explain", "EXPLAIN ANALYZE", "Redshift has no EXPLAIN ANALYZE", "read SYS_QUERY_DETAIL", "EXPLAIN"
    ),
    _phrase("truncate", "CASCADE", "Redshift's TRUNCATE has no options", "leave it out", "TRUNCATE"),
    _phrase("truncate", "RESTART IDENTITY", "Redshift's TRUNCATE has no options", "leave it out", "TRUNCATE"),
    _phrase(
        "truncate", ",", "Redshift's TRUNCATE takes one table", "write one statement a table", "TRUNCATE"
    ),
    _phrase("on-commit", "ON COMMIT", "Redshift has no ON COMMIT", "drop the table yourself", "CREATE"),
    _phrase(
        "view", "VIEW IF NOT EXISTS", "Redshift's views have no IF NOT EXISTS", "use OR REPLACE", "CREATE"
    ),
    _phrase("not-null", "SET NOT NULL", "Redshift cannot change NOT NULL", "make the table anew", "ALTER"),
    _phrase("not-null", "DROP NOT NULL", "Redshift cannot change NOT NULL", "make the table anew", "ALTER"),
    _phrase(
        "identity",
        "GENERATED ALWAYS",
        "Redshift has no GENERATED ALWAYS",
        "use IDENTITY(1, 1), or GENERATED BY DEFAULT AS IDENTITY(1, 1)",
        "CREATE ALTER",
    ),
    _phrase(
        "with-insert",
        ") INSERT INTO",
        "Redshift has no WITH before INSERT",
        "write INSERT INTO t WITH ... SELECT",
        "WITH",
    ),
    _phrase("listen", "LISTEN", "Redshift has no LISTEN and NOTIFY", "leave it out", "LISTEN"),
    _phrase("listen", "NOTIFY", "Redshift has no LISTEN and NOTIFY", "leave it out", "NOTIFY"),
    _phrase("copy-stdin", "FROM STDIN", "Redshift's COPY reads from Amazon S3", "load from s3://", "COPY"),
    _phrase("copy-stdin", "TO STDOUT", "Redshift has no COPY TO", "use UNLOAD", "COPY"),
    _phrase("array", "ARRAY [", "Redshift has no arrays", "use ARRAY(...), which is SUPER"),
    _phrase(
        "merge", "MATCHED AND", "Redshift's MERGE takes no conditions", "filter the source table", "MERGE"
    ),
    _phrase(
        "merge",
        "USING (",
        "Redshift's MERGE reads from a table",
        "put the rows into a temporary table",
        "MERGE",
    ),
    _phrase("merge", "DO NOTHING", "Redshift's MERGE has no DO NOTHING", "filter the source table", "MERGE"),
)

SECRETS = frozenset({"ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "CREDENTIALS"})

FUNCTIONS = {
    "STRING_AGG": "use LISTAGG",
    "ARRAY_AGG": "use LISTAGG, and JSON_PARSE for SUPER",
    "ARRAY_TO_STRING": "use LISTAGG",
    "STRING_TO_ARRAY": "use SPLIT_TO_ARRAY",
    "UNNEST": "name the SUPER array in FROM: FROM t AS a, a.items AS i",
    "JSON_AGG": "use LISTAGG of JSON_SERIALIZE, and JSON_PARSE",
    "JSONB_AGG": "use LISTAGG of JSON_SERIALIZE, and JSON_PARSE",
    "JSON_BUILD_OBJECT": "use OBJECT",
    "JSONB_BUILD_OBJECT": "use OBJECT",
    "JSON_BUILD_ARRAY": "use ARRAY(...)",
    "JSONB_BUILD_ARRAY": "use ARRAY(...)",
    "JSONB_ARRAY_ELEMENTS": "name the SUPER array in FROM",
    "TO_JSON": "use OBJECT or ARRAY",
    "TO_JSONB": "use OBJECT or ARRAY",
    "ROW_TO_JSON": "use OBJECT",
    "GEN_RANDOM_UUID": "make the id in the program",
    "UUID_GENERATE_V4": "make the id in the program",
    "NEXTVAL": "use an IDENTITY column",
    "CURRVAL": "use an IDENTITY column",
    "REGEXP_MATCHES": "use REGEXP_SUBSTR",
    "REGEXP_MATCH": "use REGEXP_SUBSTR",
    "REGEXP_SPLIT_TO_TABLE": "use SPLIT_TO_ARRAY",
    "FORMAT": "use ||",
    "AGE": "use DATEDIFF",
    "CLOCK_TIMESTAMP": "use GETDATE()",
    "STATEMENT_TIMESTAMP": "use GETDATE()",
    "CONCAT_WS": "use ||",
    "DATE_BIN": "use DATE_TRUNC",
    "MAKE_DATE": "use TO_DATE",
    "MAKE_TIME": "use a cast",
    "MAKE_TIMESTAMP": "use TO_TIMESTAMP",
    "MAKE_TIMESTAMPTZ": "use TO_TIMESTAMP",
    "OVERLAY": "use LEFT, || and SUBSTRING",
    "JSONB_PRETTY": "use JSON_SERIALIZE",
    "MAKE_INTERVAL": "use DATEADD",
    "TO_TSVECTOR": "use LIKE or REGEXP_SUBSTR",
}
"""Functions of PostgreSQL that Redshift does not have, and what to write instead."""

LEADER_FUNCTIONS = {
    "GENERATE_SERIES": "number the rows of a table, or use WITH RECURSIVE",
    "NOW": "use GETDATE() or SYSDATE",
}
"""Functions of the leader node: refused by Redshift in a query over tables."""

OPERATORS = {
    "->": "JSON operator ->",
    "->>": "JSON operator ->>",
    "#>": "JSON operator #>",
    "#>>": "JSON operator #>>",
    "@>": "containment operator @>",
    "<@": "containment operator <@",
}

_TYPES_TEXT = """
    SMALLINT INT2 INTEGER INT INT4 BIGINT INT8 DECIMAL NUMERIC REAL FLOAT4 DOUBLE FLOAT8 FLOAT BOOLEAN BOOL CHAR
    CHARACTER NCHAR BPCHAR VARCHAR NVARCHAR TEXT DATE TIME TIMETZ TIMESTAMP TIMESTAMPTZ DATETIME INTERVAL SUPER VARBYTE
    VARBINARY BINARY GEOMETRY GEOGRAPHY HLLSKETCH OID REGCLASS REGPROC NAME
"""
TYPES = frozenset(_TYPES_TEXT.split())
"""Redshift's types ("Data types"), and the catalogue's own, which the leader node knows."""

TYPE_HINTS = {
    "JSON": "use SUPER",
    "JSONB": "use SUPER",
    "SERIAL": "use BIGINT IDENTITY(1, 1)",
    "BIGSERIAL": "use BIGINT IDENTITY(1, 1)",
    "SMALLSERIAL": "use BIGINT IDENTITY(1, 1)",
    "UUID": "use CHAR(36)",
    "BYTEA": "use VARBYTE",
    "MONEY": "use DECIMAL(18, 2)",
    "CITEXT": "use VARCHAR COLLATE CASE_INSENSITIVE",
}
