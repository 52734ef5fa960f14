"""`airflow cio grants`."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from airflow.configuration import conf

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.core.reporting_file import load_reporting
from airflow_provider_cio.warehouse.landing import RAW, STAGING
from airflow_provider_cio.warehouse.statements import identifier

ROLE = "cio_load"


@command
def grants(args: Namespace) -> None:
    """Print what the parts need, and no more: Redshift's role, two IAM policies, scopes of the App API key."""
    folder = contract_folder(args.path)
    contract = load_contract(folder / "contract.yaml")
    reports = [load_reporting(file) for file in sorted((folder / "reporting").glob("*.yaml"))]
    files = [route.files for each in reports for route in each.routes.values() if route.files]
    state = conf.get("customerio", "state_schema", fallback="cio_sync")
    say(redshift((state, RAW, STAGING)))
    say("\n-- IAM policy of the AWS connection")
    say(json.dumps(policy(contract.staging.s3, files, delete=True), indent=2))
    say(f"\n-- IAM policy of {contract.staging.iam_role}, by which Redshift copies and unloads")
    say(json.dumps(policy(contract.staging.s3, files, delete=False), indent=2))
    say("\n-- Scopes of the App API key")
    say(
        "read: campaigns, broadcasts, newsletters, transactional messages, messages, segments, subscription topics, "
        "activities, sender identities, ESP suppressions"
    )
    say("read and create: exports (for the route `export`)")


def redshift(schemas: tuple[str, ...]) -> str:
    """A role that owns what it makes in its schemas, and nothing else."""
    lines = ["-- Redshift, as a superuser", f"CREATE ROLE {ROLE};"]
    for schema in schemas:
        lines.append(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)};")
        lines.append(f"GRANT USAGE, CREATE ON SCHEMA {identifier(schema)} TO ROLE {ROLE};")
    lines.append(f"GRANT ROLE {ROLE} TO <the user of the Redshift connection>;")
    return "\n".join(lines)


def policy(staging: str, files: list[str], *, delete: bool) -> dict[str, Any]:
    """An IAM policy: read and write below `staging`, read below `files`."""
    actions = ["s3:GetObject", "s3:PutObject", *(["s3:DeleteObject"] if delete else [])]
    places = [staging, *files]
    reading = [_arn(place, "/*") for place in files]
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": [_arn(staging, "/*")]},
        *([{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": reading}] if reading else []),
        *(
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": [f"arn:aws:s3:::{bucket}"],
            }
            for bucket in dict.fromkeys(_bucket(place) for place in places)
        ),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _bucket(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[0]


def _arn(uri: str, suffix: str) -> str:
    return f"arn:aws:s3:::{uri.removeprefix('s3://').rstrip('/')}{suffix}"
