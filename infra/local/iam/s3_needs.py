"""The permissions that calls of S3 need.

They follow from method, path and query, because S3 does not send the names of its operations.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from infra.local.iam.calls import Call, Need

_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
_OBJECT_PARTS = ("tagging", "acl", "retention", "legal-hold", "attributes")
_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_BUCKET_QUERIES = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads"}
_BUCKET_SETTINGS = (
    "location",
    "versioning",
    "notification",
    "policy",
    "tagging",
    "acl",
    "cors",
    "encryption",
)
_KEY = re.compile(rb"<Key>([^<]+)</Key>")


def s3_needs(call: Call) -> list[Need]:
    """List the permissions that a call needs."""
    bucket, _, key = call.path.lstrip("/").partition("/")
    if not bucket:
        return [Need("s3:ListAllMyBuckets", "*")]
    if key:
        return [Need(f"s3:{_object_action(call)}", object_arn(bucket, key)), *_copied(call)]
    if call.method == "POST" and "delete" in call.query:
        keys = [found.decode("utf-8", "replace") for found in _KEY.findall(call.body)]
        return [Need("s3:DeleteObject", object_arn(bucket, one)) for one in keys]
    context = {f"s3:{name}": [call.query[name]] for name in ("prefix", "delimiter") if name in call.query}
    return [Need(f"s3:{_bucket_action(call)}", bucket_arn(bucket), context)]


def bucket_arn(bucket: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:aws:s3:::{bucket}"


def object_arn(bucket: str, key: str) -> str:
    """Return the ARN of an object."""
    return f"{bucket_arn(bucket)}/{key}"


def _object_action(call: Call) -> str:
    query, verb = call.query, {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(call.method, "Put")
    if "uploadId" in query and call.method in ("GET", "DELETE"):
        return "ListMultipartUploadParts" if call.method == "GET" else "AbortMultipartUpload"
    for part in _OBJECT_PARTS:
        if part in query:
            return f"{verb}Object{''.join(word.capitalize() for word in part.split('-'))}"
    action = _OBJECT[call.method]
    return f"{action}Version" if "versionId" in query and verb != "Put" else action


def _bucket_action(call: Call) -> str:
    for name, action in _BUCKET_QUERIES.items():
        if name in call.query:
            return action
    verb = "Get" if call.method in ("GET", "HEAD") else "Put"
    for name in _BUCKET_SETTINGS:
        if name in call.query:
            return f"{verb}Bucket{name.capitalize()}"
    return _BUCKET.get(call.method, "PutObject")


def _copied(call: Call) -> list[Need]:
    source = unquote(call.header("x-amz-copy-source")).lstrip("/").split("?")[0]
    return [Need("s3:GetObject", f"arn:aws:s3:::{source}")] if source else []
