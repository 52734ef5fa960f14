"""Where contract, syncs and the files that ship are."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from airflow.configuration import conf

from airflow_provider_cio.exceptions import ContractError

_PACKAGE = Path(__file__).resolve().parent.parent


def dags_folder() -> Path:
    """`[core] dags_folder` of Airflow's configuration."""
    return Path(conf.get_mandatory_value("core", "dags_folder"))


def contract_folder(given: str | None) -> Path:
    """The folder of contract.yaml and syncs/.

    :raises ContractError: it is not a folder.
    """
    folder = Path(given) if given else dags_folder()
    if not folder.is_dir():
        raise ContractError(
            f"{folder} is not a folder.",
            next_step="name the folder that holds contract.yaml and syncs/, or make one with `airflow cio init`",
        )
    return folder


def sync_file(name_or_path: str) -> Path:
    """The YAML file of a sync: `customers` is `syncs/customers.yaml` in the Dags folder.

    :raises ContractError: there is no such file.
    """
    given = Path(name_or_path)
    if given.suffix in {".yaml", ".yml"}:
        path, known = given, list[str]()
    else:
        folder = dags_folder() / "syncs"
        path, known = folder / f"{name_or_path}.yaml", sorted(p.stem for p in folder.glob("*.yaml"))
    if path.is_file():
        return path
    close = get_close_matches(name_or_path, known, n=1)
    raise ContractError(
        f"there is no sync {path}" + (f": did you mean '{close[0]}'?" if close else "."),
        next_step=f"use one of {', '.join(known)}"
        if known
        else "name a sync of the Dags folder, or its YAML file",
    )


def shipped_folder() -> Path:
    """The folder that holds the `dags/` and `sql/` of this package: in the wheel, or the repository."""
    wheel = _PACKAGE / "_shipped"
    return wheel if wheel.is_dir() else _PACKAGE.parent
