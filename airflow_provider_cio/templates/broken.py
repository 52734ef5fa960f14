"""A sync whose file is wrong: an import error of its own, while all other syncs stay."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, NoReturn

from airflow.sdk import DAG

from airflow_provider_cio.exceptions import ContractError

log = logging.getLogger(__name__)


class BrokenSync(DAG):
    """Stands for the Dag that could not be made.

    Airflow reports an error of a Dag file for the file as a whole, and then schedules none of its Dags. An error
    while one Dag is serialised is reported under that Dag's own file; so this one names the YAML file as its own
    and refuses to be serialised.
    """

    def __init__(self, dag_id: str, file: Path, error: ContractError) -> None:
        self._file = file
        self._error = error
        self._loader: str | None = None
        super().__init__(dag_id, schedule=None)
        # A class method of Dag, but what is wrong is known to this one alone.
        object.__setattr__(self, "get_serialized_fields", self._refuse)

    @classmethod
    def report(cls, dag_id: str, file: Path, error: ContractError, namespace: dict[str, Any]) -> None:
        """Make Airflow show the error; where nobody would show it, log it and leave the sync out.

        Only the Dag processor serialises Dags one by one. `airflow dags reserialize` and whoever else fills a
        DagBag would fail for all Dags of the installation.
        """
        if os.environ.get("_AIRFLOW_PROCESS_CONTEXT") == "client":  # what the Dag processor's parsers run as
            namespace[dag_id] = cls(dag_id, file, error)
        else:
            log.error("%s is left out: %s", dag_id, error)

    @property
    def relative_fileloc(self) -> str:
        """The YAML file, below the folder of the Dags."""
        if self._loader is None or self.fileloc is None:
            return str(self._file)
        below_loader = os.path.relpath(self._file, Path(self.fileloc).parent)
        return os.path.normpath(Path(self._loader).parent / below_loader)

    @relative_fileloc.setter
    def relative_fileloc(self, value: str | None) -> None:
        """Airflow sets the file of the loader here, which is not broken."""
        self._loader = value

    def _refuse(self) -> NoReturn:
        """Called when the Dag is serialised."""
        raise self._error.with_traceback(None)
