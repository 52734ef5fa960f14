"""Redshift SQL as tokens: lossless, so that joined texts give the script back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["space", "word", "name", "string", "dollar", "parameter", "number", "symbol"]

_PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<parameter>\$\d+)
  | (?P<string>(?:\b[EeBbXx])?'(?:[^'\\]|\\.|'')*')
  | (?P<name>"(?:[^"]|"")*")
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>\#?[^\W\d][\w$]*)
  | (?P<symbol>::|<=|>=|<>|!=|\|\||!~\*|~\*|!~|->>|->|\#>>|\#>|@>|<@|:=|=>|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class UnfinishedError(ValueError):
    """A quote, a comment or a bracket is never closed."""


@dataclass(frozen=True)
class Token:
    """A piece of SQL; ``line`` counts from 1."""

    kind: TokenKind
    text: str
    line: int

    @property
    def word(self) -> str:
        """In upper case if it is an unquoted word or a symbol, else empty."""
        return self.text.upper() if self.kind in {"word", "symbol"} else ""

    @property
    def value(self) -> str:
        """A literal without its quotes; a name folded as Redshift folds it."""
        match self.kind:
            case "string":
                body = self.text[self.text.index("'") + 1 : -1]
                return re.sub(r"''|\\(.)", lambda found: found[1] or "'", body, flags=re.DOTALL)
            case "dollar":
                return self.text[self.text.index("$", 1) + 1 : self.text.rindex("$", 0, -1)]
            case "name":
                return self.text[1:-1].replace('""', '"').lower()
            case _:
                return self.text.lower()


def tokens(sql: str) -> list[Token]:
    """Every piece of ``sql``, spaces and comments included.

    :raises UnfinishedError: an open quote or comment.
    """
    found: list[Token] = []
    line = 1
    for match in _PATTERN.finditer(sql):
        kind, text = match.lastgroup, match.group()
        if kind == "tag":
            kind = "dollar"
        if kind == "symbol" and text in "'\"":
            raise UnfinishedError(f"line {line}: the quote {text} is never closed")
        if kind == "symbol" and text == "/" and sql.startswith("/*", match.start()):
            raise UnfinishedError(f"line {line}: the comment is never closed")
        found.append(Token(kind, text, line))  # type: ignore[arg-type]
        line += text.count("\n")
    return found


def meaning(sql: str) -> list[Token]:
    """The tokens that are not space or comment."""
    return [token for token in tokens(sql) if token.kind != "space"]


def text(pieces: Sequence[Token]) -> str:
    """The SQL of tokens."""
    return "".join(piece.text for piece in pieces)


def closing(pieces: Sequence[Token], opening: int) -> int:
    """Index of the bracket that closes the one at ``opening``.

    :raises UnfinishedError: there is none.
    """
    depth = 0
    for index in range(opening, len(pieces)):
        symbol = pieces[index].word
        if symbol in {"(", "["}:
            depth += 1
        elif symbol in {")", "]"}:
            depth -= 1
            if not depth:
                return index
    raise UnfinishedError(f"line {pieces[opening].line}: the bracket {pieces[opening].text} is never closed")


def split(pieces: Sequence[Token], separator: str = ",") -> Iterator[list[Token]]:
    """The parts between separators that stand outside of brackets."""
    part: list[Token] = []
    depth = 0
    for piece in pieces:
        if piece.word in {"(", "["}:
            depth += 1
        elif piece.word in {")", "]"}:
            depth -= 1
        if piece.word == separator and depth == 0:
            yield part
            part = []
        else:
            part.append(piece)
    yield part
