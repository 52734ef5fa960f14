"""`airflow cio schema`."""

from __future__ import annotations

import json
from argparse import Namespace

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.core.audience.files import audience_schema
from airflow_provider_cio.core.contract_files import json_schema


@command
def schema(args: Namespace) -> None:
    """Print a JSON Schema."""
    schema = audience_schema() if args.which == "audience" else json_schema(args.which)
    say(json.dumps(schema, indent=2))
