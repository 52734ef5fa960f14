"""`airflow cio verify` and `airflow cio test`: is it what it should be?"""

from __future__ import annotations

import json
from argparse import Namespace

from airflow.cli.simple_table import AirflowConsole
from ulid import ULID

from airflow_provider_cio.cli.console import command, say, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.cli.opened import opened
from airflow_provider_cio.core.mapping_tests import cases
from airflow_provider_cio.engine.verify import Line
from airflow_provider_cio.engine.verify import verify as engine_verify


@command
def verify(args: Namespace) -> None:
    """Send the cohort, print the comparison; status 1 when something differs."""
    with opened(args.sync, run_id=f"verify {ULID()}", sending=True) as ctx:
        lines = engine_verify(ctx, wait=args.wait)
    rows = [_row(line, show=args.show_values) for line in lines]
    if args.output == "json":
        say(json.dumps(rows))
    else:
        AirflowConsole().print_as_table(rows)
    different = sum(not line.ok for line in lines)
    tell(f"{len(lines)} compared, {different} differ.")
    if different:
        raise SystemExit(1)


@command
def test(args: Namespace) -> None:
    """Run the mapping tests of all syncs; status 1 when one fails."""
    failed = 0
    found = cases(contract_folder(args.path))
    for case in found:
        try:
            case.check()
        except AssertionError as error:
            failed += 1
            say(str(error))
    tell(f"{len(found)} mapping tests, {failed} failed.")
    if failed:
        raise SystemExit(1)


def _row(line: Line, *, show: bool) -> dict[str, str]:
    """Values of people are shown on demand only; counts of segments and journeys always."""
    shown = show or not line.who
    expected, actual = (str(line.expected), str(line.actual)) if shown else ("", "")
    compared = "same" if line.ok else "DIFFERENT"
    return {"who": line.who, "what": line.what, "expected": expected, "actual": actual, "": compared}
