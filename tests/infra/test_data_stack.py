"""Data is what cannot be made again, so its protections are stated one by one."""

from __future__ import annotations

import pytest

from infra.tables import TABLES
from stepward.domain.runs import RunHead
from stepward.domain.task_records import WorkflowHead
from tests.infra.assembly_reading import Assembly, Json, flat

RUN_IN_A_LIST = set(RunHead.model_fields) | set(WorkflowHead.model_fields)
EXPECTED_INDEXES = {
    "journal": {},
    "runtime": {"GSI1": RUN_IN_A_LIST | {"asked", "said"}, "GSI2": RUN_IN_A_LIST, "GSI3": RUN_IN_A_LIST},
    "registry": {
        "GSI1": {
            "id",
            "uid",
            "state",
            "name",
            "version",
            "model",
            "description",
            "capabilities",
            "module",
            "category",
            "tags",
            "priority",
            "created_at",
        }
    },
    "identity": {},
    "limits": {},
    "triggers": {},
}


def table(assembly: Assembly, name: str) -> Json:
    tables = assembly.properties("data", "AWS::DynamoDB::Table")
    return next(body for body in tables if body["TableName"] == f"stepward-{assembly.stage}-{name}")


def test_exactly_the_known_tables_exist(prod: Assembly) -> None:
    names = {body["TableName"] for body in prod.properties("data", "AWS::DynamoDB::Table")}
    assert names == {f"stepward-prod-{name}" for name in EXPECTED_INDEXES}
    assert set(TABLES) == set(EXPECTED_INDEXES)


@pytest.mark.parametrize("name", EXPECTED_INDEXES)
def test_a_table_is_on_demand_encrypted_recoverable_and_forgets(prod: Assembly, name: str) -> None:
    body = table(prod, name)
    assert body["BillingMode"] == "PAY_PER_REQUEST"
    assert body["SSESpecification"] == {"SSEEnabled": True}
    assert body["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert body["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert body["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("name", EXPECTED_INDEXES)
def test_keys_are_strings_named_by_the_rule(prod: Assembly, name: str) -> None:
    body = table(prod, name)
    keys = {(key["AttributeName"], key["KeyType"]) for key in body["KeySchema"]}
    assert keys == {("pk", "HASH"), ("sk", "RANGE")}
    names = [
        "pk",
        "sk",
        *(f"{index.lower()}{part}" for index in EXPECTED_INDEXES[name] for part in ("pk", "sk")),
    ]
    assert body["AttributeDefinitions"] == [{"AttributeName": key, "AttributeType": "S"} for key in names]


@pytest.mark.parametrize("name", EXPECTED_INDEXES)
def test_indexes_carry_what_their_lists_show(prod: Assembly, name: str) -> None:
    indexes = table(prod, name).get("GlobalSecondaryIndexes", [])
    shown = {index["IndexName"]: set(index["Projection"]["NonKeyAttributes"]) for index in indexes}
    assert shown == EXPECTED_INDEXES[name]


def test_only_the_journal_is_streamed(prod: Assembly) -> None:
    streamed = {name: table(prod, name).get("StreamSpecification") for name in EXPECTED_INDEXES}
    assert streamed == dict.fromkeys(EXPECTED_INDEXES) | {"journal": {"StreamViewType": "NEW_IMAGE"}}


def test_data_stays_when_its_stack_goes(prod: Assembly, dev: Assembly) -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        assert {body["DeletionPolicy"] for body in prod.resources("data", kind).values()} == {"Retain"}
        assert {body["DeletionPolicy"] for body in dev.resources("data", kind).values()} == {"Delete"}


def test_the_bucket_is_private_encrypted_and_versioned(prod: Assembly) -> None:
    (bucket,) = prod.properties("data", "AWS::S3::Bucket")
    assert flat(bucket["BucketName"]) == "stepward-prod-data-<accountid>"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (lifecycle,) = bucket["LifecycleConfiguration"]["Rules"]
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_the_bucket_refuses_unencrypted_connections(prod: Assembly) -> None:
    (policy,) = prod.properties("data", "AWS::S3::BucketPolicy")
    conditions = [statement["Condition"] for statement in policy["PolicyDocument"]["Statement"]]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {statement["Effect"] for statement in policy["PolicyDocument"]["Statement"]} == {"Deny"}
