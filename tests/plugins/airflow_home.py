"""Fixture `airflow_home`: an Airflow of this worker's own, with a SQLite database.

Airflow reads AIRFLOW_HOME when it is first imported, so this plugin is loaded before any other of ours and sets it at
once; the database is made when the first test asks for it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
(_HOME / "dags").mkdir()
# Airflow has a variable for each option: AIRFLOW__SECTION__OPTION. tests/conftest.py takes those away, so options
# stand in the configuration file.
(_HOME / "airflow.cfg").write_text(
    f"""[core]
dags_folder = {_HOME / "dags"}
load_examples = False
unit_test_mode = False
fernet_key =
[database]
sql_alchemy_conn = sqlite:///{_HOME / "airflow.db"}
[logging]
base_log_folder = {_HOME / "logs"}
""",
    encoding="utf-8",
)
os.environ["AIRFLOW_HOME"] = str(_HOME)
os.environ.pop("AIRFLOW_CONFIG", None)


@pytest.fixture(scope="session")
def airflow_home() -> Iterator[Path]:
    """The folder, with a migrated database; `dags` in it is the Dags folder."""
    from airflow.utils.db import initdb

    initdb()
    yield _HOME
    from airflow import settings

    settings.dispose_orm()
