"""``python -m airflow_provider_cio.core.sqllint FOLDER...``: exit code 1 if Redshift would refuse an SQL file."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_provider_cio.core.sqllint.files import lint_folder


def main(*folders: str) -> int:
    """Write the findings to standard output; 0 if there are none, 2 without a folder."""
    if not folders:
        sys.stderr.write("usage: python -m airflow_provider_cio.core.sqllint FOLDER...\n")
        return 2
    found = [finding for folder in folders for finding in lint_folder(Path(folder))]
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
