"""Every port in both worlds: the same tests hold the in-memory adapters and the AWS ones to one contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stepward.adapters.aws import clients
from stepward.adapters.aws.datasets import S3Datasets
from stepward.adapters.aws.identity import DynamoIdentity
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.registry import DynamoRegistry
from stepward.adapters.aws.runtime_state import DynamoRuntimeState
from stepward.adapters.memory.journal import MemoryJournal
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.adapters.memory.world import MemoryDatasets, MemoryIdentity, StillClock

BUCKET = "data"
INDEXES = {"runtime": ["1", "2"], "registry": ["1"], "journal": [], "identity": []}


@dataclass
class Ports:
    journal: Any
    runtime: Any
    registry: Any
    identity: Any
    datasets: Any
    clock: StillClock


def _in_memory() -> Ports:
    journal = MemoryJournal()
    return Ports(
        journal,
        MemoryRuntimeState(journal),
        MemoryRegistry(),
        MemoryIdentity(),
        MemoryDatasets(),
        StillClock(),
    )


class _PutableDatasets(S3Datasets):
    def put(self, tenant: str, path: str, body: bytes) -> None:
        clients.client("s3").put_object(Bucket=self.bucket, Key=f"tenants/{tenant}/{path}", Body=body)


def _on_aws() -> Ports:
    for name in INDEXES:
        _create(name)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    journal, clock = DynamoJournal("journal", BUCKET), StillClock()
    runtime = DynamoRuntimeState("runtime", journal, clock)
    return Ports(
        journal,
        runtime,
        DynamoRegistry("registry"),
        DynamoIdentity("identity"),
        _PutableDatasets(BUCKET),
        clock,
    )


def _create(table: str) -> None:
    names = ["pk", "sk", *(f"gsi{n}{part}" for n in INDEXES[table] for part in ("pk", "sk"))]
    indexes = [
        {
            "IndexName": f"GSI{n}",
            "KeySchema": _keys(f"gsi{n}pk", f"gsi{n}sk"),
            "Projection": {"ProjectionType": "ALL"},
        }
        for n in INDEXES[table]
    ]
    boto3.client("dynamodb").create_table(
        TableName=table,
        KeySchema=_keys("pk", "sk"),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _keys(pk: str, sk: str) -> list[dict[str, str]]:
    return [{"AttributeName": pk, "KeyType": "HASH"}, {"AttributeName": sk, "KeyType": "RANGE"}]


@pytest.fixture(params=["memory", "aws"])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    if request.param == "memory":
        yield _in_memory()
        return
    with mock_aws():
        clients.client.cache_clear()
        yield _on_aws()
    clients.client.cache_clear()
