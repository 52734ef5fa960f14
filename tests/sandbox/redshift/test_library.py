"""Functions against what the Redshift developer guide prints or states, by page; hashes also by their test vectors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import redshift_connector

INT4, INT8, FLOAT8, BOOLEAN, DATE, TIMESTAMP, SUPER = 23, 20, 701, 16, 1082, 1114, 4000

CASES: list[tuple[str, str, Any]] = [
    ("r_ADD_MONTHS", "ADD_MONTHS('2008-03-31', 1)", datetime(2008, 4, 30)),
    ("r_ADD_MONTHS", "ADD_MONTHS('2008-04-30', 1)", datetime(2008, 5, 31)),
    ("r_array", "ARRAY(1, 50, null, 100)", "[1,50,null,100]"),
    ("r_array", "ARRAY(1, 'abc', true, 3.14)", '[1,"abc",true,3.14]'),
    ("r_array_concat", "ARRAY_CONCAT(ARRAY(10001, 10002), ARRAY(10003, 10004))", "[10001,10002,10003,10004]"),
    ("r_BTRIM", "BTRIM('     abc     ')", "abc"),
    ("r_BTRIM", "BTRIM('setuphistorycassettes', 'tes')", "uphistoryca"),
    ("r_can_json_parse", "CAN_JSON_PARSE('[10001,10002,\"abc\"]')", True),
    ("r_CHARINDEX", "CHARINDEX('fish', 'dogfish')", 4),
    ("r_CHARINDEX", "CHARINDEX('fish', 'DOG FISH')", 0),
    ("r_CONCAT", "CONCAT('December 25, ', '2008')", "December 25, 2008"),
    ("r_CONCAT", "CONCAT('a', NULL)", None),
    (
        "r_CONVERT_TIMEZONE",
        "CONVERT_TIMEZONE('PST', '2008-08-21 07:23:54')",
        datetime(2008, 8, 20, 23, 23, 54),
    ),
    (
        "r_CONVERT_TIMEZONE",
        "CONVERT_TIMEZONE('EST', 'PST', '20080305 12:25:29')",
        datetime(2008, 3, 5, 9, 25, 29),
    ),
    (
        "r_CONVERT_TIMEZONE",
        "CONVERT_TIMEZONE('America/New_York', '2013-02-01 08:00:00')",
        datetime(2013, 2, 1, 3),
    ),
    ("r_DATEADD_function", "DATEADD(month, 18, '2008-02-28')", datetime(2009, 8, 28)),
    ("r_DATEADD_function", "DATEADD(m, 18, '2008-02-28')", datetime(2008, 2, 28, 0, 18)),
    ("r_DATEADD_function", "DATEADD(month, 1, '2008-04-30')", datetime(2008, 5, 30)),
    ("r_DATE_CMP", "DATE_CMP('2008-01-04', '2008-01-05')", -1),
    ("r_DATEDIFF_function", "DATEDIFF(week, '2009-01-01', '2009-12-31')", 52),
    ("r_DATEDIFF_function", "DATEDIFF(hour, '2009-01-01', '2009-12-31')", 8736),
    ("r_DATEDIFF_function", "DATEDIFF(day, '2020-01-01 23:59:59', '2020-01-02 00:00:01')", 1),
    ("r_DATEDIFF_function", "DATEDIFF(year, DATE '2008-12-31', DATE '2009-01-01')", 1),
    ("r_DATE_PART_function", "DATE_PART(minute, timestamp '20230104 04:05:06.789')", 5.0),
    ("r_DATE_PART_function", "DATE_PART(w, timestamp '20220502 04:05:06.789')", 18.0),
    ("r_DATE_PART_function", "DATE_PART(month, timestamp '20220502 04:05:06.789')", 5.0),
    ("r_DATE_TRUNC", "DATE_TRUNC('minute', TIMESTAMP '20200430 04:05:06.789')", datetime(2020, 4, 30, 4, 5)),
    ("r_DATE_TRUNC", "DATE_TRUNC('month', TIMESTAMP '20200430 04:05:06.789')", datetime(2020, 4, 1)),
    ("r_DATE_TRUNC", "DATE_TRUNC('quarter', TIMESTAMP '20200430 04:05:06.789')", datetime(2020, 4, 1)),
    ("r_DATE_TRUNC", "DATE_TRUNC('millennium', TIMESTAMP '20200430 04:05:06.789')", datetime(2001, 1, 1)),
    ("r_DATE_TRUNC", "DATE_TRUNC('week', TIMESTAMP '20220430 04:05:06.789')", datetime(2022, 4, 25)),
    ("r_DATE_TRUNC", "DATE_TRUNC('month', DATE '2020-04-30')", datetime(2020, 4, 1)),
    ("r_DECODE_expression", "DECODE(3, 1, 'a', 3, 'c', 'z')", "c"),
    ("r_DECODE_expression", "DECODE(NULL, NULL, 'none', 'some')", "none"),
    ("r_EXTRACT_function", "EXTRACT(minute FROM timestamp '2009-09-09 12:08:43')", 8),
    ("r_EXTRACT_function", "EXTRACT(ms FROM timestamp '2009-09-09 12:08:43.101')", 101),
    ("r_EXTRACT_function", "EXTRACT(year FROM timestamptz '1997-12-01 07:37:16.00 PST')", 1997.0),
    ("r_EXTRACT_function", "EXTRACT(dow FROM timestamp '2009-09-09 12:08:43')", 3),
    ("r_FNV_HASH", "FNV_HASH(1)", -5968735742475085980),
    ("r_FNV_HASH", "FNV_HASH('Amazon Redshift')", 7783490368944507294),
    ("r_FNV_HASH", "FNV_HASH('Amazon Redshift', FNV_HASH(1))", -2202602717770968555),
    ("r_FNV_HASH", "FNV_HASH('abcd')", -281581062704388899),
    ("r_FNV_HASH", "FNV_HASH('cd', FNV_HASH('ab'))", -281581062704388899),
    ("r_get_array_length", "GET_ARRAY_LENGTH(ARRAY(1,2,3,4,5,6,7,8,9,10))", 10),
    ("r_GREATEST_LEAST", "GREATEST(1, NULL, 3)", 3),
    ("r_INITCAP", "INITCAP('Nibh.Quisque@eleifend')", "Nibh.Quisque@Eleifend"),
    ("r_is_array", "IS_ARRAY(ARRAY(1, 2))", True),
    ("r_is_object", "IS_OBJECT(ARRAY(1, 2))", False),
    ("IS_VALID_JSON", "IS_VALID_JSON('{\"a\":2}')", True),
    ("IS_VALID_JSON", "IS_VALID_JSON('{2:\"b\"')", False),
    ("IS_VALID_JSON_ARRAY", "IS_VALID_JSON_ARRAY('[]')", True),
    ("IS_VALID_JSON_ARRAY", "IS_VALID_JSON_ARRAY('{\"a\":1}')", False),
    ("JSON_ARRAY_LENGTH", 'JSON_ARRAY_LENGTH(\'[11,12,13,{"f1":21,"f2":[25,26]},14]\')', 5),
    ("JSON_ARRAY_LENGTH", 'JSON_ARRAY_LENGTH(\'[11,12,13,{"f1":21,"f2":[25,26]},14\', true)', None),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT", "JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[111,112,113]', 2)", "113"),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT", 'JSON_EXTRACT_ARRAY_ELEMENT_TEXT(\'["a",["b",1]\', 1, true)', None),
    (
        "JSON_EXTRACT_PATH_TEXT",
        """JSON_EXTRACT_PATH_TEXT('{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}}', 'f4', 'f6')""",
        "star",
    ),
    (
        "JSON_EXTRACT_PATH_TEXT",
        """JSON_EXTRACT_PATH_TEXT('{"f2":{"f3":1},"f4":{"f5":99}', 'f4', 'f6', true)""",
        None,
    ),
    ("JSON_EXTRACT_PATH_TEXT", """JSON_EXTRACT_PATH_TEXT('{"f2":{"f3":1}}', 'f4')""", None),
    ("JSON_EXTRACT_PATH_TEXT", """JSON_EXTRACT_PATH_TEXT('{"f2": {"f3": 1}}', 'f2')""", '{"f3":1}'),
    ("JSON_PARSE", "JSON_PARSE('[10001,10002,\"abc\"]')", '[10001,10002,"abc"]'),
    (
        "JSON_SERIALIZE",
        "JSON_SERIALIZE(JSON_PARSE('[10001, 10002, \"a: b, c\"]'))",
        '[10001,10002,"a: b, c"]',
    ),
    ("r_json_size", "JSON_SIZE(JSON_PARSE('[10001,10002,\"⬤\"]'))", 19),
    ("r_json_typeof", "JSON_TYPEOF(ARRAY(1, 2))", "array"),
    ("r_LAST_DAY", "LAST_DAY('2008-02-10')", date(2008, 2, 29)),
    ("r_LEN", "LEN('français')", 8),
    ("r_OCTET_LENGTH", "OCTET_LENGTH('français')", 9),
    ("r_LN", "DLOG1(1)", 0.0),
    ("r_LOG", "LOG(100)", 2.0),
    ("r_MD5", "MD5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a"),
    ("r_MOD", "MOD(10, 4)", 2),
    ("r_MONTHS_BETWEEN_function", "MONTHS_BETWEEN('1969-01-18', '1969-03-18')", -2.0),
    ("r_NEXT_DAY", "NEXT_DAY('2014-08-20', 'Tuesday')", date(2014, 8, 26)),
    ("r_NVL_function", "NVL(NULL, 12, 13)", 12),
    ("r_NVL2", "NVL2(NULL, 'given', 'missing')", "missing"),
    ("r_object_function", "OBJECT('one', 1)", '{"one":1}'),
    ("REGEXP_COUNT", "REGEXP_COUNT('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8),
    ("REGEXP_COUNT", "REGEXP_COUNT('the fox', 'FOX', 1, 'i')", 1),
    ("REGEXP_INSTR", "REGEXP_INSTR('the fox', 'FOX', 1, 1, 0, 'i')", 5),
    ("REGEXP_INSTR", "REGEXP_INSTR('the fox', 'cat')", 0),
    ("REGEXP_REPLACE", "REGEXP_REPLACE('the fox', 'FOX', 'quick brown fox', 1, 'i')", "the quick brown fox"),
    ("REGEXP_REPLACE", "REGEXP_REPLACE('a1b2', '[0-9]', '#')", "a#b#"),
    ("REGEXP_REPLACE", "REGEXP_REPLACE('Doe, Jo', '(\\\\w+), (\\\\w+)', '$2 $1')", "Jo Doe"),
    ("REGEXP_SUBSTR", "REGEXP_SUBSTR('the fox', 'FOX', 1, 1, 'i')", "fox"),
    ("REGEXP_SUBSTR", "REGEXP_SUBSTR('the fox', 'cat')", ""),
    ("r_REPLICATE", "REPLICATE('ab', 2)", "abab"),
    ("r_SHA1", "SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("FUNC_SHA1", "FUNC_SHA1('')", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("SHA2", "SHA2('abc', 256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("SHA2", "SHA2('abc', 0)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("SHA2", "LEN(SHA2('abc', 512))", 128),
    ("SPLIT_PART", "SPLIT_PART('abc$def$ghi', '$', 2)", "def"),
    ("SPLIT_PART", "SPLIT_PART('abc$def$ghi', '$', 4)", ""),
    ("split_to_array", "SPLIT_TO_ARRAY('12|345|6789', '|')", '["12","345","6789"]'),
    ("r_STRPOS", "STRPOS('dogfish', 'fish')", 4),
    ("r_STRTOL", "STRTOL('abcd1234', 16)", 2882343476),
    ("r_STRTOL", "STRTOL('1234567', 10)", 1234567),
    ("r_STRTOL", "STRTOL('1234567', 8)", 342391),
    ("r_STRTOL", "STRTOL('110101', 2)", 53),
    ("r_STRTOL", "STRTOL('-7f', 16)", -127),
    ("r_subarray", "SUBARRAY(ARRAY('a', 'b', 'c', 'd', 'e', 'f'), 2, 3)", '["c","d","e"]'),
    ("r_SUBSTRING", "SUBSTRING('caterpillar', 6, 4)", "pill"),
    ("r_SUBSTRING", "SUBSTRING('caterpillar', 6, 8)", "pillar"),
    ("r_TO_CHAR", "TO_CHAR(timestamp '2009-12-31 23:15:59', 'YYYY-MM-DD HH24:MI')", "2009-12-31 23:15"),
    ("r_TO_DATE_function", "TO_DATE('02 Oct 2001', 'DD Mon YYYY')", date(2001, 10, 2)),
    ("r_TO_HEX", "TO_HEX(2147483647)", "7fffffff"),
    ("r_TO_NUMBER", "TO_NUMBER('12,454.8-', '99G999D9S')", Decimal("-12454.8")),
    ("r_TRANSLATE", "TRANSLATE('mint tea', 'inea', 'osin')", "most tin"),
    ("r_TRUNC", "TRUNC(111.86)", Decimal(111)),
    ("r_TRUNC_date", "TRUNC(TIMESTAMP '2011-07-21 10:32:38.248109')", date(2011, 7, 21)),
    ("r_ROUND", "ROUND(CAST(28.05 AS FLOAT8), 1)", 28.1),
]

TYPES: list[tuple[str, int]] = [
    ("AVG(1)", INT8),
    ("SUM(1)", INT8),
    ("COUNT(*)", INT8),
    ("DATEDIFF(day, GETDATE(), GETDATE())", INT8),
    ("DATEADD(day, 1, CURRENT_DATE)", TIMESTAMP),
    ("DATE_TRUNC('day', CURRENT_DATE)", TIMESTAMP),
    ("DATE_PART(year, GETDATE())", FLOAT8),
    ("EXTRACT(year FROM GETDATE())", INT4),
    ("GETDATE()", TIMESTAMP),
    ("SYSDATE", TIMESTAMP),
    ("TRUNC(GETDATE())", DATE),
    ("JSON_PARSE('1')", SUPER),
    ("STRTOL('1', 2)", INT8),
    ("1 = 1", BOOLEAN),
    ("7 / 2", INT4),
]


@pytest.fixture(scope="module")
def cursor(local_redshift) -> Iterator[redshift_connector.Cursor]:
    local_redshift.create_database("library_cases")
    connection = redshift_connector.connect(
        host=local_redshift.host,
        port=local_redshift.port,
        database="library_cases",
        user=local_redshift.user,
        password=local_redshift.password,
        ssl=False,
    )
    connection.autocommit = True
    yield connection.cursor()
    connection.close()
    local_redshift.drop_database("library_cases")


@pytest.mark.parametrize(("page", "expression", "printed"), CASES, ids=[case[1][:60] for case in CASES])
def test_function_answers_what_its_page_prints(cursor, page: str, expression: str, printed: Any) -> None:
    cursor.execute(f"SELECT {expression}")
    (answer,) = cursor.fetchone()
    assert answer == printed, page
    assert printed is None or isinstance(answer, type(printed)), page


@pytest.mark.parametrize(("expression", "oid"), TYPES)
def test_result_type_on_the_wire(cursor, expression: str, oid: int) -> None:
    cursor.execute(f"SELECT {expression}")
    assert cursor.description[0][1] == oid


def test_averages_of_integers_are_cut_off(cursor) -> None:
    cursor.execute(
        "SELECT AVG(x), AVG(x::BIGINT), AVG(x::DECIMAL(4, 1)) FROM (SELECT 1 AS x UNION ALL SELECT 2) t"
    )
    assert list(cursor.fetchone()) == [1, 1, Decimal("1.5")]


def test_getdate_has_whole_seconds_and_sysdate_is_the_transactions(cursor) -> None:
    cursor.execute("SELECT GETDATE(), SYSDATE, GETDATE() - SYSDATE < INTERVAL '1 minute'")
    now, _, near = cursor.fetchone()
    assert now.microsecond == 0
    assert near


def test_unknown_date_part_is_refused_by_name(cursor) -> None:
    with pytest.raises(redshift_connector.ProgrammingError, match="fortnight"):
        cursor.execute("SELECT DATEADD(fortnight, 1, GETDATE())")


def test_invalid_json_is_refused(cursor) -> None:
    with pytest.raises(redshift_connector.ProgrammingError, match="json"):
        cursor.execute("SELECT JSON_EXTRACT_PATH_TEXT('{', 'a')")
