"""What is told to the client instead of running a statement."""

from __future__ import annotations


class SqlRefused(Exception):  # noqa: N818 - a refusal is an answer
    """Redshift refuses this statement, or the local Redshift does not know it.

    :param sqlstate: five characters.
    """

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
