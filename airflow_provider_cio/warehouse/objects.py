"""The S3 side: plans' shards and outcomes, under one prefix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_provider_cio.exceptions import ContractError, CustomerIOProviderError, WarehouseError


@dataclass(frozen=True)
class Stored:
    """One object: its key below the bucket's prefix, and its size in bytes."""

    key: str
    size: int


class Bucket:
    """Objects under `uri` (``s3://bucket/prefix``). Keys are relative to it. Safe to share between threads.

    `iam_role` is what Redshift uses to read and write there: an ARN, or ``default``.
    """

    def __init__(self, s3_client: Any, uri: str, iam_role: str) -> None:
        scheme, _, rest = uri.partition("://")
        self.name, _, prefix = rest.partition("/")
        if scheme != "s3" or not self.name:
            raise ContractError(
                "staging.s3 is not an S3 address.",
                next_step="write it as s3://bucket/prefix in dags/contract.yaml.",
            )
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self.iam_role = iam_role
        self._s3 = s3_client

    def uri(self, key: str) -> str:
        """The full address of a key."""
        return f"s3://{self.name}/{self.prefix}{key}"

    def key(self, uri: str) -> str:
        """The key of a full address below this prefix."""
        return uri.removeprefix(self.uri(""))

    def check(self) -> None:
        """Raise what keeps this bucket from being used, with the next step."""
        self._call("head_bucket")

    def put(self, key: str, body: bytes) -> None:
        """Write one object."""
        self._call("put_object", Key=self.prefix + key, Body=body)

    def get(self, key: str) -> bytes:
        """The whole object."""
        body: bytes = self._call("get_object", Key=self.prefix + key)["Body"].read()
        return body

    def listing(self, prefix: str) -> Iterator[Stored]:
        """All objects whose key starts with `prefix`."""
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self.prefix + prefix, **token)
            for item in page.get("Contents", ()):
                yield Stored(item["Key"].removeprefix(self.prefix), int(item["Size"]))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, prefix: str) -> None:
        """Remove all objects whose key starts with `prefix`."""
        for stored in self.listing(prefix):
            self._call("delete_object", Key=self.prefix + stored.key)

    def delete_one(self, key: str) -> None:
        """Remove one object; it need not be there."""
        self._call("delete_object", Key=self.prefix + key)

    def write_manifest(self, key: str, objects: list[Stored]) -> str:
        """A manifest for a COPY of Parquet (which wants each file's length); returns its address."""
        entries = [
            {"url": self.uri(item.key), "mandatory": True, "meta": {"content_length": item.size}}
            for item in objects
        ]
        self.put(key, json.dumps({"entries": entries}).encode())
        return self.uri(key)

    def read_manifest(self, key: str) -> list[str]:
        """Keys of the files that an UNLOAD's manifest names."""
        return [self.key(entry["url"]) for entry in json.loads(self.get(key))["entries"]]

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._s3, operation)(Bucket=self.name, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise self._translate(error, operation) from error

    def _translate(self, error: Exception, operation: str) -> CustomerIOProviderError:
        code = (
            str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
        )
        if code == "NoSuchBucket" or (code == "404" and operation == "head_bucket"):
            return ContractError(
                f"The S3 bucket '{self.name}' does not exist.",
                next_step="create it, or correct staging.s3 in dags/contract.yaml.",
            )
        if code in {
            "AccessDenied",
            "403",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "NoCredentialsError",
        }:
            return ContractError(
                f"S3 refused {operation} in the bucket '{self.name}' ({code}).",
                next_step="let the AWS connection read, write and list below staging.s3.",
            )
        return WarehouseError(f"S3 failed in {operation} ({code}).", next_step="run the task again.")
