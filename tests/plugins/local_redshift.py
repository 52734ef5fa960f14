"""A local Redshift and S3 for tests: one server a session, one database a test."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import redshift_connector

from airflow_provider_cio.sandbox.redshift import LocalRedshift
from airflow_provider_cio.sandbox.s3 import S3Server

BUCKET = "cio-sandbox"
ROLE = "arn:aws:iam::123456789012:role/redshift-copy-unload"
_numbers = itertools.count()


@dataclass(frozen=True)
class S3:
    """A moto server with one bucket."""

    endpoint: str
    client: Any
    bucket: str = BUCKET
    role: str = ROLE

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", ())]


@pytest.fixture(scope="session")
def s3_service() -> Iterator[S3Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server(s3_service) -> str:
    host, port = s3_service.get_host_and_port()
    return f"http://{host}:{port}"


@pytest.fixture
def s3(s3_server) -> Iterator[S3]:
    """S3 with an empty bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    yield S3(s3_server, client)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for key in [found["Key"] for page in pages for found in page.get("Contents", ())]:
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture(scope="session")
def local_redshift(tmp_path_factory, s3_server) -> Iterator[LocalRedshift]:
    folder = tmp_path_factory.mktemp("redshift")
    with LocalRedshift(folder, port=None, s3_endpoint=s3_server) as running:
        yield running


@pytest.fixture
def redshift_dsn(local_redshift) -> Iterator[dict[str, Any]]:
    """Arguments of `redshift_connector.connect` for a fresh database."""
    name = f"test_{next(_numbers)}"
    local_redshift.create_database(name)
    yield {
        "host": local_redshift.host,
        "port": local_redshift.port,
        "database": name,
        "user": local_redshift.user,
        "password": local_redshift.password,
        "ssl": False,
    }
    local_redshift.drop_database(name)


@pytest.fixture
def redshift(redshift_dsn) -> Iterator[redshift_connector.Connection]:
    connection = redshift_connector.connect(**redshift_dsn)
    yield connection
    connection.close()
