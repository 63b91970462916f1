"""Files of tenants in S3: data sets under `tenants/<tenant>/`, large results under `blobs/<tenant>/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, is_missing, translated
from stepward.domain.errors import NotFound, ToolFailed
from stepward.ports.clock import iso
from stepward.ports.tool_services import DataFile, KeptFile

MOST_BYTES: Final = 5_000_000
_UNCHANGED: Final = frozenset({"304", "NotModified"})


@dataclass(frozen=True)
class S3Datasets:
    """Reads and writes data files of tenants."""

    bucket: str

    def read(self, tenant: str, path: str, known_version: str | None = None) -> DataFile | None:
        """Read a file unless its version is the one that is already known."""
        condition = {"IfNoneMatch": known_version} if known_version else {}
        with translated(doing := f"reading {path}"):
            try:
                found = client("s3").get_object(
                    Bucket=self.bucket, Key=f"tenants/{tenant}/{path}", **condition
                )
            except ClientError as error:
                if error_code(error) in _UNCHANGED:
                    return None
                if is_missing(error, doing):
                    raise _missing(path) from error
                raise
        if found["ContentLength"] > MOST_BYTES:
            raise ToolFailed(
                f"the data set {path!r} has {found['ContentLength']} bytes; the limit is {MOST_BYTES}."
            )
        return DataFile(version=found["ETag"], body=found["Body"].read(), content_type=found["ContentType"])

    def is_there(self, tenant: str, path: str) -> bool:
        """Return whether a file exists."""
        with translated(doing := f"looking for {path}"):
            try:
                client("s3").head_object(Bucket=self.bucket, Key=f"tenants/{tenant}/{path}")
            except ClientError as error:
                if is_missing(error, doing):
                    return False
                raise
        return True

    def list_files(self, tenant: str, prefix: str, limit: int, after: str | None = None) -> list[KeptFile]:
        """List a tenant's files; the listing is narrowed to the tenant's part of the bucket."""
        own = f"tenants/{tenant}/"
        later = {"StartAfter": f"{own}{after}"} if after else {}
        with translated(f"listing {prefix or 'files'}"):
            found = client("s3").list_objects_v2(
                Bucket=self.bucket, Prefix=f"{own}{prefix}", MaxKeys=limit, **later
            )
        return [
            KeptFile(
                key=one["Key"].removeprefix(own),
                size_bytes=one["Size"],
                version=one["ETag"],
                changed_at=iso(one["LastModified"]),
            )
            for one in found.get("Contents", [])
        ]

    def write(self, tenant: str, path: str, body: bytes, content_type: str) -> str:
        """Write a file; the last of two writers wins, as with every file."""
        with translated(f"writing {path}"):
            put = client("s3").put_object(
                Bucket=self.bucket, Key=f"tenants/{tenant}/{path}", Body=body, ContentType=content_type
            )
        return str(put["ETag"])


def _missing(path: str) -> NotFound:
    fix = f"stepward data put {path} FILE"
    return NotFound(f"there is no data set {path!r} for this tenant.", field="source", fix=fix)


@dataclass(frozen=True)
class S3Results:
    """Keeps large results of tools."""

    bucket: str

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Write a result; a second attempt writes the same one."""
        key = _key(tenant, run, call)
        with translated(f"keeping {key}"):
            client("s3").put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read a whole result."""
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
