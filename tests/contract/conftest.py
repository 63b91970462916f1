"""Every port in both worlds: the same tests hold the in-memory adapters and the AWS ones to one contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler

from infra.local.engine.dynamodb import actions
from infra.tables import TABLES, TableSpec
from stepward.adapters.aws import clients
from stepward.adapters.aws.files import S3Datasets
from stepward.adapters.aws.identity import DynamoIdentity
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.new_runs import NewRuns
from stepward.adapters.aws.prompts import DynamoPromptRegistry
from stepward.adapters.aws.registry import DynamoRegistry
from stepward.adapters.aws.run_lists import DynamoRunLists
from stepward.adapters.aws.run_queue import DynamoRunQueue
from stepward.adapters.aws.runtime_state import DynamoRuntimeState
from stepward.adapters.aws.tokens import DynamoTokens
from stepward.adapters.memory.journal import MemoryJournal
from stepward.adapters.memory.prompts import MemoryPromptRegistry
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.run_queue import MemoryTokens
from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.adapters.memory.small_ports import MemoryDatasets, MemoryIdentity, StillClock
from tests.support.mocked_aws import mocked_aws

BUCKET = "data"


@dataclass
class Ports:
    journal: Any
    runtime: Any
    lists: Any
    run_queue: Any
    tokens: Any
    registry: Any
    prompts: Any
    identity: Any
    datasets: Any
    clock: StillClock


def _in_memory() -> Ports:
    journal = MemoryJournal()
    runtime = MemoryRuntimeState(journal)
    return Ports(
        journal,
        runtime,
        runtime,
        runtime.line,
        MemoryTokens(),
        MemoryRegistry(),
        MemoryPromptRegistry(),
        MemoryIdentity(),
        MemoryDatasets(),
        StillClock(),
    )


class _PutableDatasets(S3Datasets):
    def put(self, tenant: str, path: str, body: bytes) -> None:
        clients.client("s3").put_object(Bucket=self.bucket, Key=f"tenants/{tenant}/{path}", Body=body)


def _on_aws() -> Ports:
    for spec in TABLES.values():
        _create(spec)
    clients.client("s3").create_bucket(Bucket=BUCKET)
    journal, clock = DynamoJournal("journal", BUCKET), StillClock()
    return Ports(
        journal,
        DynamoRuntimeState("runtime", journal, NewRuns("runtime", journal, clock)),
        DynamoRunLists("runtime", clock),
        DynamoRunQueue("runtime"),
        DynamoTokens("runtime", clock),
        DynamoRegistry("registry"),
        DynamoPromptRegistry("registry"),
        DynamoIdentity("identity"),
        _PutableDatasets(BUCKET),
        clock,
    )


def _create(spec: TableSpec) -> None:
    """Make a table as the stacks do, with what its indexes really carry."""
    pairs = [("pk", "sk"), *(index.keys for index in spec.indexes)]
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _keys(*index.keys),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.includes)},
        }
        for index in spec.indexes
    ]
    clients.client("dynamodb").create_table(
        TableName=spec.name,
        KeySchema=_keys("pk", "sk"),
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for pair in pairs for name in pair
        ],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _keys(pk: str, sk: str) -> list[dict[str, str]]:
    return [{"AttributeName": pk, "KeyType": "HASH"}, {"AttributeName": sk, "KeyType": "RANGE"}]


@pytest.fixture(autouse=True)
def _atomic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each write one step, as DynamoDB does: plain moto looks at conditions in one and writes in another."""
    monkeypatch.setattr(DynamoHandler, "call_action", DynamoHandler.call_action)
    actions.install_dynamodb_lock()


@pytest.fixture(params=["memory", "aws"])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    if request.param == "memory":
        yield _in_memory()
        return
    with mocked_aws():
        yield _on_aws()
