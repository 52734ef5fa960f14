"""What lint finds, and the sync files it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.core.yaml_lines import Document, Location
from airflow_provider_cio.exceptions import Mistake

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line that breaks a rule (error) or looks like a mistake (warning)."""

    severity: Severity
    file: str
    line: int
    key: str
    message: str
    next_step: str

    @classmethod
    def of(cls, mistake: Mistake, severity: Severity = "error") -> Finding:
        """The finding that a mistake is."""
        return cls(severity, *mistake)

    def __str__(self) -> str:
        return f"{self.severity}: {Mistake(self.file, self.line, self.key, self.message, self.next_step)}"


@dataclass(frozen=True)
class SyncFile:
    """A sync that loaded, with its lines."""

    document: Document
    sync: Sync

    def error(self, location: Location, message: str, next_step: str) -> Finding:
        """A broken rule at a location of this file."""
        return Finding.of(self.document.mistake(location, message, next_step))

    def warning(self, location: Location, message: str, next_step: str) -> Finding:
        """Something odd at a location of this file."""
        return Finding.of(self.document.mistake(location, message, next_step), "warning")


@dataclass(frozen=True)
class Folder:
    """Everything that loaded, and the names of all syncs, broken ones too."""

    contract: Contract
    document: Document
    files: Mapping[str, SyncFile]
    names: frozenset[str]
