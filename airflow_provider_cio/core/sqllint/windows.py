"""Windows: the frame that Redshift wants, and the forms it does not have ("Window function syntax summary")."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.sqllint.tokens import Token, closing

_FRAMED_TEXT = """
    AVG COUNT FIRST_VALUE LAST_VALUE MAX MIN NTH_VALUE STDDEV STDDEV_POP STDDEV_SAMP SUM VARIANCE VAR_POP VAR_SAMP
"""
FRAMED = frozenset(_FRAMED_TEXT.split())
"""Functions that need ROWS as soon as their window has ORDER BY; ranking functions take no frame."""

Mistake = tuple[Token, str, str]


def mistakes(statement: list[Token]) -> Iterator[Mistake]:
    """Each mistake at its token, with what Redshift says and the next step."""
    for at, piece in enumerate(statement[:-1]):
        if piece.word == "WINDOW" and [word.word for word in statement[at + 2 : at + 4]] == ["AS", "("]:
            yield piece, "Redshift has no WINDOW clause", "write the window after OVER"
        if piece.word != "OVER" or statement[at + 1].word != "(":
            continue
        words = _outer(statement[at + 2 : closing(statement, at + 1)])
        if {"RANGE", "GROUPS"} & words and {"UNBOUNDED", "CURRENT", "PRECEDING"} & words:
            yield piece, "Redshift has frames of ROWS only", "write ROWS"
        elif "ORDER" in words and "ROWS" not in words and _function(statement, at) in FRAMED:
            message = "Redshift's aggregate window functions with ORDER BY require a frame"
            yield (
                piece,
                message,
                "add ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW (or ... UNBOUNDED FOLLOWING)",
            )


def _outer(window: list[Token]) -> set[str]:
    depth = 0
    words = set()
    for piece in window:
        depth += (piece.word == "(") - (piece.word == ")")
        if not depth:
            words.add(piece.word)
    return words


def _function(statement: list[Token], over: int) -> str:
    """The function whose OVER this is; what stands between (IGNORE NULLS) is skipped."""
    end = over - 1
    while end > 0 and statement[end].word in {"IGNORE", "RESPECT", "NULLS"}:
        end -= 1
    depth = 0
    for at in range(end, 0, -1):
        depth += (statement[at].word == ")") - (statement[at].word == "(")
        if not depth:
            return statement[at - 1].word
    return ""
