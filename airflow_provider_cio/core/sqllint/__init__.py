"""SQL that Amazon Redshift refuses, found before Redshift sees it."""

from __future__ import annotations

from airflow_provider_cio.core.sqllint.check import SqlFinding, lint_sql
from airflow_provider_cio.core.sqllint.files import FileFinding, lint_folder, rendered

__all__ = ["FileFinding", "SqlFinding", "lint_folder", "lint_sql", "rendered"]
