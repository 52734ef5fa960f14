"""What `airflow cio doctor` looks at; each examination answers with findings, and each finding has its fix."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from airflow.configuration import conf
from airflow.models.pool import Pool
from airflow.plugins_manager import get_fastapi_plugins
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.utils.session import create_session
from ulid import ULID

from airflow_provider_cio.cli.opened import render_staging
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.contract_files import load_sync
from airflow_provider_cio.core.contract_rules import lint
from airflow_provider_cio.exceptions import CustomerIOProviderError, FatalError
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

Level = Literal["ok", "note", "wrong"]
GRANTS = "run what `airflow cio grants` prints"
SKEW_SECONDS = 30
"""Leases, deadlines and event ids bear a clock that is this much off, not more."""


@dataclass(frozen=True)
class Result:
    """One finding; `fix` is empty where nothing has to be done."""

    level: Level
    what: str
    said: str
    fix: str = ""


def _well(what: str, said: str) -> Result:
    return Result("ok", what, said)


def _note(what: str, said: str, fix: str) -> Result:
    return Result("note", what, said, fix)


def _wrong(what: str, said: str, fix: str) -> Result:
    return Result("wrong", what, said, fix)


@dataclass(frozen=True)
class Patient:
    """The Dags folder that is examined."""

    folder: Path
    contract: Contract


Examination = Callable[[Patient], Iterator[Result]]


def examine(patient: Patient) -> Iterator[Result]:
    """All examinations; one that fails is a finding, and the others go on."""
    for look in (versions, files, redshift, staging, customerio, pools, page):
        try:
            yield from look(patient)
        except CustomerIOProviderError as error:
            yield _wrong(look.__name__, error.message, error.next_step or "")
        except Exception as error:  # noqa: BLE001 - the other examinations go on
            yield _wrong(look.__name__, f"{type(error).__name__}: {error}", "read the message.")


def versions(_: Patient) -> Iterator[Result]:
    """Python, Airflow and the drivers."""
    for package in (
        "apache-airflow",
        "airflow-provider-cio",
        "apache-airflow-providers-amazon",
        "redshift-connector",
    ):
        yield _well("versions", f"{package} {version(package)}")
    yield _well("versions", f"Python {sys.version_info.major}.{sys.version_info.minor}")


def files(patient: Patient) -> Iterator[Result]:
    """Contract and syncs, as `airflow cio lint` sees them."""
    errors = [found for found in lint(patient.folder) if found.severity == "error"]
    if errors:
        yield _wrong("files", f"{len(errors)} mistakes", f"airflow cio lint {patient.folder}")
    else:
        yield _well("files", f"contract and {len(_syncs(patient))} syncs have no mistakes")


def redshift(patient: Patient) -> Iterator[Result]:
    """Reachable, the clock right, our schema writable, every source readable."""
    with closing(open_warehouse(patient.contract.connections)) as warehouse:
        user, now = warehouse.fetch("SELECT current_user, GETDATE()")[0]
        yield _well("Redshift", f"answers; the user is {user}")
        yield _skew("Redshift", now)
        schema = warehouse.schema
        exists = warehouse.fetch(f"SELECT 1 FROM pg_namespace WHERE nspname = {sql.literal(schema)}")
        if not exists:
            yield _note("grants", f"schema {schema} is not there yet", "airflow cio init-db")
        elif not warehouse.fetch(f"SELECT HAS_SCHEMA_PRIVILEGE({sql.literal(schema)}, 'CREATE')")[0][0]:
            yield Result(
                "wrong",
                "grants",
                f"{user} may not create tables in {schema}",
                "run what `airflow cio grants` prints",
            )
        else:
            yield _well("grants", f"{user} may write in {schema}")
        for name, source in _syncs(patient).items():
            if source is not None:
                yield from _readable(warehouse, name, source)


def _readable(warehouse: Warehouse, name: str, source: str) -> Iterator[Result]:
    try:
        warehouse.run(f"SELECT * FROM {sql.relation(source)} LIMIT 0")
    except FatalError as error:
        yield _wrong("grants", f"{name}: {source}: {error.message}", error.next_step or "")


def staging(patient: Patient) -> Iterator[Result]:
    """The bucket by our own credentials, its region, and by Redshift's role."""
    contract = patient.contract
    client = S3Hook(aws_conn_id=contract.connections.aws).get_conn()
    bucket = Bucket(client, render_staging(contract.staging.s3), render_staging(contract.staging.iam_role))
    bucket.check()
    key = f"doctor/{str(ULID()).lower()}/"
    bucket.put(f"{key}probe", b"")
    yield _well("bucket", f"{bucket.uri('')} can be listed and written")
    answer = client.get_bucket_location(Bucket=bucket.name)
    region, ours = answer["LocationConstraint"] or "us-east-1", client.meta.region_name
    if region != ours:
        yield Result(
            "wrong",
            "region",
            f"the bucket is in {region}, the AWS connection says {ours}",
            f"set region_name to {region}; Redshift copies from its own region only",
        )
    else:
        yield _well("region", f"bucket and AWS connection: {region}")
    yield _skew("S3", parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]))
    try:
        with closing(open_warehouse(contract.connections)) as warehouse:
            role = "default" if bucket.iam_role == "default" else sql.literal(bucket.iam_role)
            warehouse.run(
                f"UNLOAD ('SELECT 1 AS probe') TO {sql.literal(bucket.uri(key))} IAM_ROLE {role} FORMAT PARQUET"
            )
        yield _well("role", "Redshift can write to the bucket by its role")
    except CustomerIOProviderError as error:
        yield Result(
            "wrong",
            "role",
            error.message,
            "attach the policy that `airflow cio grants` prints to the role, and the role to the cluster",
        )
    finally:
        bucket.delete(key)


def customerio(patient: Patient) -> Iterator[Result]:
    """Keys, region, scopes."""
    hook = CustomerIOHook(patient.contract.connections.customerio)
    with hook.track_client() as track:
        answer = track.region()
    yield Result(
        "ok",
        "Track API",
        f"region {answer.get('region')}, workspace {answer.get('environment_id')}",
    )
    if not hook.settings.app_api_key:
        yield Result(
            "note",
            "App API",
            "there is no key, so nothing is read back",
            "fill in app_api_key of the connection",
        )
        return
    with hook.app_client() as app:
        for scope, ask in (
            ("segments", app.segments),
            ("campaigns", app.campaigns),
            ("workspaces", app.workspaces),
        ):
            try:
                ask()
                yield _well("App API", f"may read {scope}")
            except CustomerIOProviderError as error:
                yield Result(
                    "wrong",
                    "App API",
                    f"may not read {scope}: {error.message}",
                    f"give the key the scope for {scope}",
                )


def pools(patient: Patient) -> Iterator[Result]:
    """The pool that sends, and whether the rate is shared over as many slots as it has."""
    name = patient.contract.send_pool
    slots = int(CustomerIOHook(patient.contract.connections.customerio).settings.rate_slots)
    with create_session() as session:
        pool = Pool.get_pool(name, session=session)
        found = None if pool is None else pool.slots
    if found is None:
        yield Result(
            "wrong",
            "pool",
            f"there is no pool {name}: tasks that send would wait for ever",
            _pool(name, slots),
        )
    elif name == Pool.DEFAULT_POOL_NAME:
        yield Result(
            "note",
            "pool",
            f"sends share {name} with everything else",
            f"{_pool('customerio', slots)}, then `send_pool: customerio` in contract.yaml",
        )
    elif found != slots:
        yield Result(
            "wrong",
            "pool",
            f"pool {name} has {found} slots, the connection shares its rate over {slots}",
            f"set rate_slots to {found}, or {_pool(name, slots)}",
        )
    else:
        yield _well("pool", f"{name} has {found} slots, which share the rate")


def _pool(name: str, slots: int) -> str:
    return f"airflow pools set {name} {slots} 'Sends to Customer.io'"


def page(_: Patient) -> Iterator[Result]:
    """The plugin is loaded, and snapshots are where it reads them."""
    loaded = any(app.get("url_prefix") == "/customerio" for app in get_fastapi_plugins()[0])
    if not loaded:
        yield Result(
            "wrong",
            "page",
            "the plugin is not loaded",
            "install the package where the API server runs; see `airflow plugins`",
        )
    backend = conf.get("workers", "state_store_backend", fallback="")
    if backend:
        yield Result(
            "note",
            "page",
            f"snapshots go to {backend}, where the page cannot read them",
            "leave [workers] state_store_backend empty",
        )
    elif loaded:
        yield _well("page", "the plugin is loaded")


def _syncs(patient: Patient) -> dict[str, str | None]:
    """Sources by sync; a file with a mistake is told of by `files`."""
    found = {}
    for file in sorted((patient.folder / "syncs").glob("*.yaml")):
        try:
            found[file.stem] = load_sync(file).source
        except CustomerIOProviderError:
            continue
    return found


def _skew(where: str, theirs: datetime) -> Result:
    seconds = abs(
        ((theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    )
    if seconds > SKEW_SECONDS:
        return Result(
            "wrong",
            "clock",
            f"{where} and this machine differ by {seconds:.0f} s",
            "let this machine's clock follow NTP",
        )
    return _well("clock", f"{where} and this machine agree")
