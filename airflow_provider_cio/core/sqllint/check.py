"""The rules, applied statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from airflow_provider_cio.core.sqllint import rules, windows
from airflow_provider_cio.core.sqllint.tokens import Token, UnfinishedError, closing, split, tokens

Statement = list[Token]


@dataclass(frozen=True)
class SqlFinding:
    """What Redshift would refuse; ``line`` counts from 1 in the text that was linted."""

    line: int
    rule: str
    message: str
    next_step: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message} ({self.rule}). Next step: {self.next_step}."


def lint_sql(sql: str) -> list[SqlFinding]:
    """Findings of a script of Redshift SQL, in the order of its lines; an empty list is good news."""
    try:
        statements = [[piece for piece in part if piece.kind != "space"] for part in split(tokens(sql), ";")]
        found = [finding for statement in statements if statement for finding in _statement(statement)]
    except UnfinishedError as error:
        return [SqlFinding(1, "syntax", str(error), "close it")]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.line)


def _statement(statement: Statement) -> Iterator[SqlFinding]:
    for check in _CHECKS:
        yield from check(statement)


def _phrases(statement: Statement) -> Iterator[SqlFinding]:
    words = [piece.word for piece in statement]
    first = next((word for word in words if word != "("), "")
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        if word in _FIRST_WORDS:
            places.setdefault(word, []).append(at)
    for phrase in rules.PHRASES:
        if phrase.within and first not in phrase.within:
            continue
        for at in places.get(phrase.words[0], ()):
            if tuple(words[at : at + len(phrase.words)]) == phrase.words:
                yield SqlFinding(statement[at].line, phrase.rule, phrase.message, phrase.next_step)


_FIRST_WORDS = frozenset(phrase.words[0] for phrase in rules.PHRASES)


def _functions(statement: Statement) -> Iterator[SqlFinding]:
    over_tables = any(piece.word == "FROM" for piece in statement) and not _reads_catalogue(statement)
    over_tables = over_tables or statement[0].word == "INSERT"
    denied = rules.FUNCTIONS | (rules.LEADER_FUNCTIONS if over_tables else {})
    for before, piece, after in zip([None, *statement], statement, statement[1:], strict=False):
        qualified = before is not None and before.word == "."
        if (
            piece.word == "CONCAT"
            and after.word == "("
            and not qualified
            and _arguments(statement, after) > 2
        ):
            yield SqlFinding(
                piece.line, "function", "Redshift's CONCAT takes two arguments", "use ||, or nest CONCAT"
            )
        if piece.word in denied and after.word == "(" and not qualified:
            where = " in a query over tables" if piece.word in rules.LEADER_FUNCTIONS else ""
            message = f"Redshift has no function {piece.word}{where}"
            yield SqlFinding(piece.line, "function", message, denied[piece.word])


def _arguments(statement: Statement, opening: Token) -> int:
    at = next(index for index, piece in enumerate(statement) if piece is opening)
    return sum(1 for _ in split(statement[at + 1 : closing(statement, at)]))


def _reads_catalogue(statement: Statement) -> bool:
    return any(piece.kind == "word" and piece.value.startswith("pg_") for piece in statement)


def _operators(statement: Statement) -> Iterator[SqlFinding]:
    if _reads_catalogue(statement):
        return
    for piece in statement:
        if piece.kind == "symbol" and piece.text in rules.OPERATORS:
            step = "navigate SUPER with dots and brackets, or use JSON_EXTRACT_PATH_TEXT"
            yield SqlFinding(
                piece.line, "json-operator", f"Redshift has no {rules.OPERATORS[piece.text]}", step
            )


def _types(statement: Statement) -> Iterator[SqlFinding]:
    for at in _type_places(statement):
        piece = statement[at]
        if piece.kind == "word" and piece.word not in rules.TYPES:
            step = rules.TYPE_HINTS.get(piece.word, "use a type of the page 'Data types'")
            yield SqlFinding(piece.line, "type", f"Redshift has no type {piece.word}", step)
        after = _after_size(statement, at + 1)
        if [following.word for following in statement[after : after + 2]] == ["[", "]"]:
            yield SqlFinding(piece.line, "array", "Redshift has no arrays", "use SUPER")


def _after_size(statement: Statement, at: int) -> int:
    opens = at < len(statement) and statement[at].word == "("
    return closing(statement, at) + 1 if opens else at


def _type_places(statement: Statement) -> Iterator[int]:
    """Indexes at which a type stands: after ``::``, in CAST, in column definitions."""
    for at, piece in enumerate(statement[:-1]):
        if piece.word == "::":
            yield at + 1
        elif piece.word == "CAST" and statement[at + 1].word == "(":
            end = closing(statement, at + 1)
            depth = 0
            for inner in range(at + 2, end):
                depth += (statement[inner].word == "(") - (statement[inner].word == ")")
                if statement[inner].word == "AS" and not depth:
                    yield inner + 1
    yield from _column_types(statement)


_CONSTRAINTS = {"PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT", "LIKE", "CHECK", "EXCLUDE"}


def _column_types(statement: Statement) -> Iterator[int]:
    words = [piece.word for piece in statement[:8]]
    if words[:1] == ["ALTER"] and "ADD" in words:
        at = words.index("ADD") + 1
        at += words[at] == "COLUMN"
        if words[at] not in _CONSTRAINTS | {"IF"} and at + 1 < len(statement):
            yield at + 1
    if words[:1] != ["CREATE"] or "TABLE" not in words:
        return
    opening = next((at for at, piece in enumerate(statement) if piece.word in {"(", "AS"}), len(statement))
    if opening == len(statement) or statement[opening].word == "AS":
        return
    at = opening + 1
    for part in split(statement[at : closing(statement, opening)]):
        if len(part) > 1 and part[0].word not in _CONSTRAINTS:
            yield at + 1
        at += len(part) + 1


def _secrets(statement: Statement) -> Iterator[SqlFinding]:
    if statement[0].word not in {"COPY", "UNLOAD"}:
        return
    for piece in statement:
        if piece.word in rules.SECRETS:
            message = f"{piece.word} puts a secret into SQL, where query logs keep it"
            yield SqlFinding(piece.line, "access-keys", message, "use IAM_ROLE '<arn>' or IAM_ROLE default")


def _merge(statement: Statement) -> Iterator[SqlFinding]:
    if statement[0].word != "MERGE":
        return
    words = [piece.word for piece in statement]
    if words[-2:] == ["REMOVE", "DUPLICATES"]:
        return
    branches = [
        words[at + 1]
        for at, word in enumerate(words[:-1])
        if word == "WHEN" and words[at + 1] in {"MATCHED", "NOT"}
    ]
    if sorted(branches) != ["MATCHED", "NOT"]:
        message = "Redshift's MERGE needs one WHEN MATCHED and one WHEN NOT MATCHED"
        yield SqlFinding(statement[0].line, "merge", message, "write both, or use UPDATE or INSERT")


def _writing_cte(statement: Statement) -> Iterator[SqlFinding]:
    for opening, piece in pairwise(statement):
        if (
            opening.word == "("
            and piece.word in {"INSERT", "UPDATE", "DELETE", "MERGE"}
            and statement[0].word == "WITH"
        ):
            yield SqlFinding(
                piece.line, "writing-cte", f"Redshift has no {piece.word} inside WITH", "use two statements"
            )


def _boolean_text(statement: Statement) -> Iterator[SqlFinding]:
    """Casts that can be told to be of a BOOLEAN: of a literal, or of a comparison in brackets."""
    for at, piece in enumerate(statement[:-1]):
        if piece.word != "::" or statement[at + 1].word not in {"VARCHAR", "TEXT", "CHAR"}:
            continue
        if statement[at - 1].word in {"TRUE", "FALSE"} or _comparison_ends(statement, at - 1):
            step = "use CASE WHEN ... THEN 'true' ELSE 'false' END"
            yield SqlFinding(piece.line, "boolean-text", "Redshift has no cast from BOOLEAN to text", step)


_BEFORE_BRACKETS = frozenset(
    {"SELECT", "DISTINCT", "WHERE", "AND", "OR", "NOT", "ON", "WHEN", "THEN", "ELSE", "BY"}
)


def _comparison_ends(statement: Statement, end: int) -> bool:
    depth = 0
    compared = False
    for at in range(end, -1, -1):
        word = statement[at].word
        depth += (word == ")") - (word == "(")
        if depth == 0:
            before = statement[at - 1] if at else None
            called = (
                before is not None and before.kind in {"word", "name"} and before.word not in _BEFORE_BRACKETS
            )
            return compared and not called
        compared = compared or (depth == 1 and word in {"=", "<>", "!=", "<", ">", "<=", ">="})
        if depth == 1 and word in {"CASE", "SELECT"}:
            return False
    return False


def _windows(statement: Statement) -> Iterator[SqlFinding]:
    for piece, message, step in windows.mistakes(statement):
        yield SqlFinding(piece.line, "window", message, step)


def _ctas(statement: Statement) -> Iterator[SqlFinding]:
    words = [piece.word for piece in statement]
    if words[:1] != ["CREATE"] or "TABLE" not in words:
        return
    start = words.index("TABLE") + 1
    body = next((word for word in words[start:] if word in {"(", "AS"}), "")
    if words[start : start + 3] == ["IF", "NOT", "EXISTS"] and body == "AS":
        message = "Redshift's CREATE TABLE AS has no IF NOT EXISTS"
        yield SqlFinding(
            statement[0].line, "ctas", message, "DROP TABLE IF EXISTS first, or look into SVV_TABLES"
        )


def _late_view(statement: Statement) -> Iterator[SqlFinding]:
    words = [piece.word for piece in statement]
    if words[:1] != ["CREATE"] or words[-4:] != ["WITH", "NO", "SCHEMA", "BINDING"]:
        return
    named = {
        piece.value
        for piece, following, bracket in zip(statement, statement[1:], statement[2:], strict=False)
        if following.word == "AS" and bracket.word == "("
    }
    for before, piece, after in zip(statement, statement[1:], statement[2:], strict=False):
        relation = before.word in {"FROM", "JOIN"} and piece.kind in {"word", "name"}
        if relation and after.word not in {".", "("} and piece.value not in named:
            message = f"{piece.text} has no schema in a view WITH NO SCHEMA BINDING"
            yield SqlFinding(piece.line, "late-view", message, "name its schema")


_CHECKS: tuple[Callable[[Statement], Iterator[SqlFinding]], ...] = (
    _phrases,
    _functions,
    _operators,
    _types,
    _secrets,
    _merge,
    _writing_cte,
    _boolean_text,
    _windows,
    _ctas,
    _late_view,
)
