"""`airflow cio init`."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

from airflow.models.pool import Pool
from airflow.utils.session import create_session
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_cio.cli.console import command, say, tell
from airflow_provider_cio.cli.folders import shipped_folder
from airflow_provider_cio.exceptions import FatalError

SHIPPED = ("dags", "sql")
POOL, SLOTS = "customerio", 10
"""Slots: as many as `rate_slots` of a new connection."""


@command
def init(args: Namespace) -> None:
    """Copy the sample `dags/` and `sql/`; all files or none.

    :raises FatalError: a file is there already, or the folder cannot be written.
    """
    source, target = shipped_folder(), Path(args.directory)
    files = [
        path.relative_to(source)
        for name in SHIPPED
        for path in sorted((source / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    if existing := [str(target / file) for file in files if (target / file).exists()]:
        raise FatalError(
            f"these files exist and stay as they are: {', '.join(existing)}. Nothing was written.",
            next_step="choose another folder, or move them away",
        )
    try:
        for file in files:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, target / file)
            say(str(target / file))
    except OSError as error:
        raise FatalError(
            f"{target} cannot be written: {error.strerror}.", next_step="choose a folder of your own"
        ) from None
    _make_pool()
    tell(f"Next: edit {target / 'dags' / 'contract.yaml'}, then `airflow cio lint {target / 'dags'}`.")


def _make_pool() -> None:
    """The pool that sends share, in Airflow's database; one that exists stays as it is."""
    try:
        with create_session() as session:
            if Pool.get_pool(POOL, session=session) is None:
                Pool.create_or_update_pool(
                    POOL, SLOTS, "Sends to Customer.io", include_deferred=False, session=session
                )
    except SQLAlchemyError as error:
        tell(
            f"Airflow's database does not answer ({type(error).__name__}), so the pool '{POOL}' was not made. "
            f"Next step: airflow pools set {POOL} {SLOTS} 'Sends to Customer.io'"
        )
        return
    tell(f"Pool '{POOL}' is there; `send_pool: {POOL}` in contract.yaml lets all sends share it.")
