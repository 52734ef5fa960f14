"""The grammar of COPY's and UNLOAD's options: what each is called here, and how its value is read."""

from __future__ import annotations

import re
from typing import Any, Literal, NoReturn

from airflow_provider_cio.core.sqllint.tokens import Token, UnfinishedError, closing, meaning, split
from airflow_provider_cio.sandbox.redshift.rewrite.names import quoted
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused

Format = Literal["parquet", "csv", "json", "text"]
SYNTAX, UNSUPPORTED = "42601", "0A000"

_KEYS = {"CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"}
_FLAGS = {
    "COPY": {
        "GZIP": "gzip",
        "MANIFEST": "manifest",
        "EMPTYASNULL": "empty_as_null",
        "BLANKSASNULL": "blanks_as_null",
        "TRIMBLANKS": "trim_blanks",
        "TRUNCATECOLUMNS": "truncate_columns",
        "FILLRECORD": "fill_record",
        "IGNOREBLANKLINES": "ignore_blank_lines",
        "EXPLICIT_IDS": "explicit_ids",
        "SERIALIZETOJSON": "serialize_to_json",
        "ESCAPE": "escape",
        "REMOVEQUOTES": "remove_quotes",
        "NOLOAD": "no_load",
    },
    "UNLOAD": {
        "GZIP": "gzip",
        "ALLOWOVERWRITE": "allow_overwrite",
        "CLEANPATH": "clean_path",
        "HEADER": "header",
        "ADDQUOTES": "add_quotes",
        "ESCAPE": "escape",
    },
}
_TEXTS = {
    "COPY": {"DELIMITER": "delimiter", "DATEFORMAT": "date_format", "TIMEFORMAT": "time_format"},
    "UNLOAD": {"DELIMITER": "delimiter", "EXTENSION": "extension"},
}
_NUMBERS = {"COPY": {"MAXERROR": "max_error", "IGNOREHEADER": "ignore_header"}, "UNLOAD": {}}
_FORMATS: dict[str, Format] = {"PARQUET": "parquet", "CSV": "csv", "JSON": "json"}
_ROLE = re.compile(r"arn:aws(-cn|-us-gov)?:iam::\d{12}:role/[\w+=.@/-]+")
_SIZES = {"MB": 1 << 20, "GB": 1 << 30}


class BulkReader:
    """The words of one statement, taken from left to right."""

    def __init__(self, sql: str) -> None:
        try:
            self._tokens = [token for token in meaning(sql) if token.word != ";"]
        except UnfinishedError as error:
            raise SqlRefused(str(error), SYNTAX) from error
        self._at = 0

    def peek(self, *words: str) -> bool:
        ahead = self._tokens[self._at : self._at + len(words)]
        return [token.word for token in ahead] == list(words)

    def take(self, *words: str) -> bool:
        if not self.peek(*words):
            return False
        self._at += len(words)
        return True

    def expect(self, word: str) -> None:
        if not self.take(word):
            self._confused(word)

    def _confused(self, wanted: str) -> NoReturn:
        near = self._tokens[self._at].text if self._at < len(self._tokens) else "end of statement"
        raise SqlRefused(f"syntax error at or near {near!r}: {wanted} was expected", SYNTAX)

    def _next(self, *kinds: str) -> Token:
        if self._at >= len(self._tokens) or self._tokens[self._at].kind not in kinds:
            self._confused(" or ".join(kinds))
        self._at += 1
        return self._tokens[self._at - 1]

    def text(self) -> str:
        """A quoted literal's value."""
        return self._next("string", "dollar").value

    def _text_after(self, *noise: str) -> str:
        for word in noise:
            self.take(word)
        return self.text()

    def _number(self) -> int:
        self.take("AS")
        token = self._next("number", "string")
        if not token.value.isdigit():
            self._confused("a whole number")
        return int(token.value)

    def _name(self) -> str:
        return quoted(self._next("word", "name").value)

    def relation(self) -> str:
        parts = [self._name()]
        while self.take("."):
            parts.append(self._name())
        return ".".join(parts)

    def names(self) -> tuple[str, ...]:
        end = closing(self._tokens, self._at)
        inside = self._tokens[self._at + 1 : end]
        self._at = end + 1
        return tuple(quoted(part[0].value) for part in split(inside) if part)

    def options(self, statement: Literal["COPY", "UNLOAD"]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while self._at < len(self._tokens):
            token = self._next("word")
            option = token.word
            if option in _KEYS:
                raise SqlRefused(
                    f"{statement}: {option} puts a secret into SQL, where query logs keep it. "
                    "Next step: use IAM_ROLE '<arn>' or IAM_ROLE default.",
                    UNSUPPORTED,
                )
            if option in _FLAGS[statement]:
                values[_FLAGS[statement][option]] = self.take("OFF") is False if self.take("AS") else True
            elif option in _TEXTS[statement]:
                values[_TEXTS[statement][option]] = _unescaped(self._text_after("AS"))
            elif option in _NUMBERS[statement]:
                values[_NUMBERS[statement][option]] = self._number()
            elif not self._special(statement, option, values):
                raise SqlRefused(
                    f"{statement}: the option {option} is not part of the local Redshift", UNSUPPORTED
                )
        return values

    def _special(self, statement: str, option: str, values: dict[str, Any]) -> bool:
        match option:
            case "IAM_ROLE":
                values["iam_role"] = "default" if self.take("DEFAULT") else _roles(self.text())
            case "FORMAT":
                self.take("AS")
                self._format(values, self._next("word").word)
            case "PARQUET" | "CSV" | "JSON":
                self._format(values, option)
            case "NULL":
                values["null_as"] = _unescaped(self._text_after("AS"))
            case "REGION":
                self._text_after("AS")
            case _:
                return self._copy(option, values) if statement == "COPY" else self._unload(option, values)
        return True

    def _format(self, values: dict[str, Any], name: str) -> None:
        if name not in _FORMATS:
            raise SqlRefused(f"the format {name} is not part of the local Redshift", UNSUPPORTED)
        values["format"] = _FORMATS[name]
        if name == "JSON" and self._at < len(self._tokens):
            self.take("AS")
            if self._tokens[self._at].kind == "string":
                values["json_paths"] = self.text()
        if name == "CSV" and self.take("QUOTE"):
            values["quote"] = self._text_after("AS")

    def _copy(self, option: str, values: dict[str, Any]) -> bool:
        match option:
            case "COMPUPDATE" | "STATUPDATE":
                if not any(self.take(word) for word in ("ON", "OFF", "TRUE", "FALSE", "PRESET")):
                    return True
            case "QUOTE":
                values["quote"] = self._text_after("AS")
            case "ACCEPTINVCHARS":
                self.take("AS")
                following = self._tokens[self._at : self._at + 1]
                values["accept_inv_chars"] = (
                    self.text() if following and following[0].kind == "string" else "?"
                )
            case _:
                return False
        return True

    def _unload(self, option: str, values: dict[str, Any]) -> bool:
        match option:
            case "MANIFEST":
                values["manifest"] = True
                values["manifest_verbose"] = self.take("VERBOSE")
            case "PARALLEL":
                values["parallel"] = not (self.take("OFF") or self.take("FALSE"))
                _ = self.take("ON") or self.take("TRUE")
            case "MAXFILESIZE":
                self.take("AS")
                size = float(self._next("number").text)
                unit = self._next("word").word if self.peek("MB") or self.peek("GB") else "MB"
                values["max_file_size"] = int(size * _SIZES[unit])
            case "PARTITION":
                self.expect("BY")
                end = closing(self._tokens, self._at)
                inside = self._tokens[self._at + 1 : end]
                self._at = end + 1
                values["partition_by"] = tuple(part[0].value for part in split(inside) if part)
                values["partition_include"] = self.take("INCLUDE")
            case _:
                return False
        return True


def _roles(chain: str) -> str:
    """One role's ARN, or a chain of them.

    :raises SqlRefused: not the form of an ARN.
    """
    if chain.lower() != "default" and not all(_ROLE.fullmatch(role) for role in chain.split(",")):
        raise SqlRefused(
            f"IAM_ROLE {chain!r} is not the ARN of a role. Next step: write arn:aws:iam::<account>:role/<name>, "
            "a chain of them with commas, or default",
            "XX000",
        )
    return chain


def _unescaped(value: str) -> str:
    return {"\\t": "\t", "t": "\t"}.get(value, value)
