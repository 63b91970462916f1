"""Large results in S3, under `blobs/<tenant>/results/<run>/<call>`."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import is_missing, translated
from stepward.domain.errors import NotFound


@dataclass(frozen=True)
class S3Results:
    """The results' part of the data bucket."""

    bucket: str

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Write a result; written again by a second attempt it is the same."""
        key = _key(tenant, run, call)
        with translated(f"keeping {key}"):
            client("s3").put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read a result whole."""
        key = _key(tenant, run, call)
        with translated(doing := f"reading {key}"):
            try:
                found: bytes = client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError as error:
                if is_missing(error, doing):
                    raise NotFound(f"there is no result of {call}.", field="reference") from error
                raise
        return found


def _key(tenant: str, run: str, call: str) -> str:
    return f"blobs/{tenant}/results/{run}/{call}"
