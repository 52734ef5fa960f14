"""All services of the sandbox in one process: Redshift, S3, Customer.io, the ad platforms."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from airflow_provider_cio.sandbox import s3
from airflow_provider_cio.sandbox.ads import AdSandbox
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
from airflow_provider_cio.sandbox.ports import free_port, is_free
from airflow_provider_cio.sandbox.redshift import LocalRedshift

DEFAULT_PORTS = {"redshift": 5439, "s3": 5000, "customerio": 8025, "ads": 8027}
READY_FILE = "endpoints.json"


class SandboxError(Exception):
    """The sandbox cannot start; the message ends with the next step."""


class PortError(SandboxError):
    """A port that was asked for is taken or none; the message says which setting asked."""


@dataclass(frozen=True)
class Ports:
    """A port for each service."""

    redshift: int
    s3: int
    customerio: int
    ads: int


def setting(service: str) -> str:
    """The environment variable that asks for a service's port."""
    return f"CIO_SANDBOX_{service.upper()}_PORT"


def choose_ports(asked: dict[str, int | None], host: str) -> Ports:
    """What was asked for by option or environment, else the default, else a free one.

    :raises PortError: a port that was asked for is taken, or no port at all.
    """
    chosen = {}
    for service, default in DEFAULT_PORTS.items():
        named = asked.get(service) or _port_of_environment(service)
        if named and not is_free(named, host):
            raise PortError(
                f"port {named} for {service} is taken. Next step: free it, or ask for another by "
                f"--{service}-port or {setting(service)}."
            )
        chosen[service] = named or free_port(default, host)
    return Ports(**chosen)


def _port_of_environment(service: str) -> int:
    text = os.environ.get(setting(service), "")
    if text and not (text.isdecimal() and 0 < int(text) < 65_536):
        raise PortError(
            f"{setting(service)}={text} is no port. Next step: give a number from 1 to 65535, or unset it."
        )
    return int(text or 0)


def run(folder: Path, *, host: str, asked: dict[str, int | None]) -> None:
    """Start everything, say so, and stay until a signal comes.

    ``folder/endpoints.json`` is there while the sandbox is ready; only one that was killed leaves it behind.

    :raises SandboxError: a port is taken, or another sandbox runs in the folder.
    """
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / READY_FILE
    with ExitStack() as services:
        services.enter_context(_only_one(folder))
        ready.unlink(missing_ok=True)
        ports = choose_ports(asked, host)
        storage = services.enter_context(s3.LocalS3(host=host, port=ports.s3))
        redshift = services.enter_context(
            LocalRedshift(
                folder / "redshift", host=host, port=ports.redshift, s3_endpoint=storage.endpoint_url
            )
        )
        customerio = services.enter_context(
            CustomerIOSandbox(folder / "customerio", host=host, port=ports.customerio)
        )
        ads = services.enter_context(AdSandbox(folder / "ads", host=host, port=ports.ads))
        ads.google.polls = ads.google_ads.polls = 0  # nobody waits half an hour for a status here
        endpoints = _endpoints(redshift, storage, customerio, ads)
        _write_whole(ready, json.dumps(endpoints, indent=1))
        services.callback(ready.unlink, missing_ok=True)
        _announce(endpoints)
        stop.wait()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder; the lock ends with the process, however that dies."""
    with (folder / "sandbox.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"a sandbox runs in {folder} already. Next step: use it, stop it, or give another --folder."
            ) from None
        yield


def _endpoints(
    redshift: LocalRedshift, storage: s3.LocalS3, customerio: CustomerIOSandbox, ads: AdSandbox
) -> dict[str, Any]:
    return {
        "redshift": {
            "host": redshift.host,
            "port": redshift.port,
            "database": redshift.database,
            "user": redshift.user,
            "password": redshift.password,
        },
        "s3": {
            "endpoint_url": storage.endpoint_url,
            "bucket": storage.bucket,
            "access_key": s3.ACCESS_KEY,
            "secret_key": s3.SECRET_KEY,
        },
        "customerio": {
            "url": customerio.url,
            "site_id": "sandbox-site",
            "track_api_key": "sandbox-track-key",
            "app_api_key": "sandbox-app-key",
            "workspace_id": 1,
        },
        "ads": {
            name: {"url": ads.url(name), "connection": connection}
            for name, connection in ads.connections().items()
        },
        "pid": os.getpid(),
    }


def _write_whole(file: Path, content: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(content)
    partial.replace(file)


def _announce(endpoints: dict[str, Any]) -> None:
    redshift = "{host}:{port} (database {database}, user {user}, password {password})".format(
        **endpoints["redshift"]
    )
    print(f"Redshift     {redshift}")  # noqa: T201
    print(f"S3           {endpoints['s3']['endpoint_url']} (bucket {endpoints['s3']['bucket']})")  # noqa: T201
    print(f"Customer.io  {endpoints['customerio']['url']}")  # noqa: T201
    print(f"Ad platforms {', '.join(each['url'] for each in endpoints['ads'].values())}")  # noqa: T201
    print("ready; Ctrl-C stops it", flush=True)  # noqa: T201
