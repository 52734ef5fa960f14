"""S3 for COPY and UNLOAD. There is no default endpoint: nothing here may ever reach the real S3."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class S3Error(Exception):
    """S3 refused, or there is no endpoint; in Redshift's words where it has some."""


class S3:
    """The objects that COPY reads and UNLOAD writes."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self._made: Any = None

    @property
    def _client(self) -> Any:
        if self._endpoint is None:
            raise S3Error(
                "COPY and UNLOAD need an S3 endpoint, and this sandbox has none. "
                "Next step: start it with one (s3_endpoint)."
            )
        if self._made is None:
            self._made = boto3.client(
                "s3",
                endpoint_url=self._endpoint,
                aws_access_key_id="sandbox",
                aws_secret_access_key="sandbox",
                region_name="us-east-1",
                config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, proxies={}),
            )
        return self._made

    def listing(self, url: str) -> list[str]:
        """URLs of the objects whose key starts with the URL's."""
        bucket, prefix = split(url)
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [f"s3://{bucket}/{found['Key']}" for page in pages for found in page.get("Contents", ())]
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, url) from error

    def read(self, url: str) -> bytes:
        bucket, key = split(url)
        try:
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, url) from error
        return body

    def write(self, url: str, content: bytes) -> None:
        bucket, key = split(url)
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, url) from error

    def delete(self, url: str) -> None:
        bucket, key = split(url)
        self._client.delete_object(Bucket=bucket, Key=key)


class BreakingS3(S3):
    """Lets a manifest or one file pass; then the connection to the cluster breaks."""

    def __init__(self, whole: S3) -> None:
        super().__init__(whole._endpoint)
        self._passed = 0

    def read(self, url: str) -> bytes:
        self._pass()
        return super().read(url)

    def write(self, url: str, content: bytes) -> None:
        self._pass()
        super().write(url, content)

    def _pass(self) -> None:
        self._passed += 1
        if self._passed > 1:
            raise EOFError("a fault of the sandbox")


def split(url: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise S3Error(f"'{url}' is no S3 location. Next step: write s3://bucket/prefix.")
    return bucket, key


def _refused(error: Exception, url: str) -> S3Error:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return S3Error(f"S3ServiceException: {code}, at {url}")
