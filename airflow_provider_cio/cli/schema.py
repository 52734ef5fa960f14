"""`airflow cio schema`."""

from __future__ import annotations

import json
from argparse import Namespace

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.core.contract_files import json_schema


@command
def schema(args: Namespace) -> None:
    """Print a JSON Schema."""
    say(json.dumps(json_schema(args.which), indent=2))
