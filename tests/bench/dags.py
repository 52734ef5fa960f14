"""What the Dag processor pays for a folder of syncs: seconds of CPU to import one, ten, and two hundred files."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clock import line

DAGS = Path(__file__).parents[2] / "dags"
SYNC = "customers"
ROUNDS = 3


def main() -> None:
    """Each number of files in fresh processes; a process by itself imports Airflow and our loader first."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
        measured = {
            count: statistics.median(_seconds(Path(home), count) for _ in range(ROUNDS))
            for count in (1, 10, 200)
        }
    for count, seconds in measured.items():
        line(f"{count:4} syncs: {seconds:6.2f} CPU s to load")


def _seconds(home: Path, count: int) -> float:
    folder = home / f"dags-{count}"
    if not folder.is_dir():
        _fill(folder, count)
    done = subprocess.run([sys.executable, __file__, str(folder)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def _fill(folder: Path, count: int) -> None:
    """Copies of one sync that write attributes of their own."""
    (folder / "syncs").mkdir(parents=True)
    contract = (DAGS / "contract.yaml").read_text()
    (folder / "contract.yaml").write_text(contract.partition("attributes:")[0] + _attributes(count))
    for number in range(count):
        (folder / f"syncs/sync_{number:03}.yaml").write_text(_sync(number))


def _attributes(count: int) -> str:
    each = (f"  tier_{n}: {{type: string, writer: sync_{n:03}, description: Tier}}\n" for n in range(count))
    return "attributes:\n" + "".join(each)


def _sync(number: int) -> str:
    return (
        "kind: people\ndescription: One row a customer.\nowner: crm@example.com\nsource: cio_marts.people\n"
        f"identity: {{id: customer_id}}\nattributes:\n  tier_{number}: tier\n"
        'cadence: "*/15 * * * *"\ndeadline: {within: 30m}\n'
        "tests:\n  - given: {customer_id: C1, tier: gold}\n"
        f"    expect: {{identifiers: {{id: C1}}, attributes: {{tier_{number}: gold}}}}\n"
    )


def load(folder: str) -> None:
    """Load, and print the seconds."""
    from airflow_provider_cio.templates.loader import load_syncs

    found: dict[str, object] = {}
    began = time.process_time()
    load_syncs(Path(folder) / "syncs", found)
    seconds = time.process_time() - began
    assert len(found) == len(list(Path(folder, "syncs").iterdir())), found
    print(seconds)  # noqa: T201
    shutil.rmtree(Path(folder) / "__pycache__", ignore_errors=True)


if __name__ == "__main__":
    load(sys.argv[1]) if len(sys.argv) > 1 else main()
