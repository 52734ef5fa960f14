"""CREATE TABLE and ALTER TABLE: types, identities and constraints; physical clauses are kept apart.

Redshift declares keys without enforcing them ("Defining table constraints"), so PostgreSQL is not told of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from airflow_provider_cio.core.sqllint.tokens import Token, closing, split, text, tokens
from airflow_provider_cio.sandbox.redshift.rewrite.names import literal, quoted, relation_at
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.types import mapped_type
from airflow_provider_cio.sandbox.redshift.rewrite.words import words

_KEYS = {"PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"}
_IGNORED = {"ENCODE": 2, "NULL": 1, "UNIQUE": 1}
"""Attributes that change no result, and how many words they are."""


@dataclass
class Physical:
    """How Redshift would lay the table out; SVV_TABLE_INFO shows it."""

    style: str = "AUTO(ALL)"
    dist_key: str | None = None
    sort_keys: list[str] = field(default_factory=list)

    def note(self, table: str) -> str:
        """The statement that remembers it."""
        style = f"KEY({self.dist_key})" if self.dist_key else self.style
        return f"SELECT rs.note_physical({literal(table)}, {literal(style)}, {literal(','.join(self.sort_keys))})"


@dataclass(frozen=True)
class TableStatement:
    """A CREATE TABLE taken apart: ``head`` up to its name, columns, and the SELECT of a CTAS as tokens."""

    table: str
    head: str
    columns: str | None
    query: list[Token] | None
    physical: Physical


def create_table(pieces: list[Token]) -> TableStatement:
    """Read the tokens (without spaces, but for the query) of a CREATE TABLE.

    :raises SqlRefused: a clause that the local Redshift does not know.
    """
    solid = [(index, piece) for index, piece in enumerate(pieces) if piece.kind != "space"]
    plain = [piece for _, piece in solid]
    at = 1
    temporary = False
    while plain[at].word in {"LOCAL", "TEMP", "TEMPORARY", "TABLE"}:
        temporary = temporary or plain[at].word in {"TEMP", "TEMPORARY"}
        at += 1
    unless = [piece.word for piece in plain[at : at + 3]] == ["IF", "NOT", "EXISTS"]
    at += 3 if unless else 0
    table, at = relation_at(plain, at)
    temporary = temporary or table.startswith('"#')
    physical = Physical()
    columns: str | None = None
    query: list[Token] | None = None
    if at < len(plain) and plain[at].word == "(":
        end = closing(plain, at)
        columns = _columns(plain[at + 1 : end], physical)
        at = end + 1
    while at < len(plain):
        if plain[at].word == "AS":
            query = pieces[solid[at][0] + 1 :]
            break
        at = _clause(plain, at, physical)
    head = f"CREATE {'TEMPORARY ' if temporary else ''}TABLE {'IF NOT EXISTS ' if unless else ''}{table}"
    return TableStatement(table, head, columns, query, physical)


def _clause(plain: list[Token], at: int, physical: Physical) -> int:
    """Take the physical clause at ``at``; the index after it."""
    match plain[at].word:
        case "BACKUP":
            return at + 2
        case "DISTSTYLE":
            physical.style = plain[at + 1].word
            return at + 2
        case "DISTKEY":
            end = closing(plain, at + 1)
            physical.dist_key = plain[at + 2].value
            return end + 1
        case "COMPOUND" | "INTERLEAVED":
            return at + 1
        case "SORTKEY":
            if plain[at + 1].word in {"AUTO", "NONE"}:
                return at + 2
            end = closing(plain, at + 1)
            physical.sort_keys = [part[0].value for part in split(plain[at + 2 : end]) if part]
            return end + 1
        case "ENCODE":
            return at + 2
    raise SqlRefused(f'syntax error at or near "{plain[at].text}"', "42601")


def _columns(inside: list[Token], physical: Physical) -> str:
    columns: list[str] = []
    required: list[str] = []
    for part in split(inside):
        if not part:
            continue
        if part[0].word == "LIKE":
            columns.append(_written(part))
        elif part[0].word in _KEYS:
            required += _primary(part)
        elif len(part) == 1:
            columns.append(quoted(part[0].value))
        else:
            columns.append(column(part, physical))
    return ", ".join(
        c if c.split(" ")[0] not in required or "NOT NULL" in c else f"{c} NOT NULL" for c in columns
    )


def _primary(part: list[Token]) -> list[str]:
    plain = [piece.word for piece in part]
    if "PRIMARY" not in plain:
        return []
    start = plain.index("(")
    return [quoted(name[0].value) for name in split(part[start + 1 : closing(part, start)])]


def column(part: list[Token], physical: Physical) -> str:
    """A column's definition: ``name type attribute...``."""
    name = part[0].value
    kind, at = mapped_type(part, 1)
    made = [quoted(name), kind]
    limit = byte_limit(quoted(name), kind)
    if limit:
        made.append(limit)
    while at < len(part):
        at = _attribute(part, at, name, physical, made)
    return " ".join(made)


def byte_limit(name: str, kind: str) -> str:
    """The constraint for a VARCHAR's length, which Redshift counts in bytes; empty for other types."""
    size = re.fullmatch(r"varchar\((\d+)\)", kind)
    return f"CONSTRAINT {limit_name(name)} CHECK (octet_length({name}) <= {size[1]})" if size else ""


def limit_name(name: str) -> str:
    """The constraint's name: the server tells by it that a value was too long."""
    bare = name.strip('"')
    return quoted(f"{bare} bytes")


def _attribute(part: list[Token], at: int, name: str, physical: Physical, made: list[str]) -> int:
    """Take the attribute at ``at``; the index after it."""
    word = part[at].word
    following = part[at + 1].word if at + 1 < len(part) else ""
    if word in _IGNORED:
        return at + _IGNORED[word]
    match word:
        case "DISTKEY":
            physical.dist_key = name
            return at + 1
        case "SORTKEY":
            physical.sort_keys.append(name)
            return at + 1
        case "NOT" | "PRIMARY":
            made.append("NOT NULL")
            return at + 2
        case "IDENTITY":
            return _identity(part, at, made, "ALWAYS")
        case "GENERATED":
            at = next(i for i in range(at, len(part)) if part[i].word == "IDENTITY")
            return _identity(part, at, made, "BY DEFAULT")
        case "DEFAULT":
            return _default(part, at, made)
        case "REFERENCES":
            _, at = relation_at(part, at + 1)
            return closing(part, at) + 1 if at < len(part) and part[at].word == "(" else at
        case "COLLATE" if following in {"CASE_SENSITIVE", "CS"}:
            return at + 2
    raise SqlRefused(f'"{part[at].text}" of column "{name}" is not part of the local Redshift', "0A000")


def _identity(part: list[Token], at: int, made: list[str], when: str) -> int:
    end = closing(part, at + 1)
    seed, step = (text(piece) for piece in split(part[at + 2 : end]))
    made.append(
        f"GENERATED {when} AS IDENTITY (START WITH {seed} INCREMENT BY {step} MINVALUE {min(0, int(seed))})"
    )
    return end + 1


_ENDS = {
    "ENCODE",
    "DISTKEY",
    "SORTKEY",
    "NOT",
    "NULL",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "COLLATE",
    "IDENTITY",
}


def _default(part: list[Token], at: int, made: list[str]) -> int:
    end = at + 2
    depth = 0
    while end < len(part) and (depth or part[end].word not in _ENDS):
        depth += (part[end].word == "(") - (part[end].word == ")")
        end += 1
    made.append(f"DEFAULT {_written(part[at + 1 : end])}")
    return end


def _written(part: list[Token]) -> str:
    return words(tokens(" ".join(piece.text for piece in part)))
