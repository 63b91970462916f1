"""A planted key is in the secrets and in the calls of its provider, and in nothing that anybody keeps or is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from infra.local.laptop import Laptop
from stepward.testing.fake_llm import FakeProvider
from tests.e2e.conftest import forget_limits
from tests.e2e.ends import run_of
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
PLANTED = "planted-zebra-9876543210"
FAULTS = (None, "401", "400", "500", "malformed_json")
SECRET = "stepward/laptop/providers/anthropic/acme"


@pytest.fixture
def planted(laptop: Laptop, models: FakeProvider) -> Iterator[None]:
    """Give the tenant a key of its own for a while; processes that run would know another."""
    secrets = laptop.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString=json.dumps({"keys": [{"id": "one", "value": PLANTED}]}))
    forget_limits(laptop)
    yield
    secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    models.quiet()
    forget_limits(laptop)


def everything_kept(laptop: Laptop) -> Iterator[bytes]:
    """Read tables, objects, executions, the functions' settings and every file of the laptop."""
    dynamodb, s3, states = (laptop.client(name) for name in ("dynamodb", "s3", "stepfunctions"))
    for table in laptop.deployment.physical_ids("AWS::DynamoDB::Table"):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            yield repr(page["Items"]).encode()
    bucket = laptop.physical_id("AWS::S3::Bucket")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            yield s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
    machine = laptop.physical_id("AWS::StepFunctions::StateMachine")
    for execution in states.list_executions(stateMachineArn=machine)["executions"]:
        yield repr(laptop.history(execution["executionArn"])).encode()
    yield repr([spec.environment for spec in laptop.executor.functions()]).encode()
    for path in laptop.state_dir.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def test_a_key_is_in_nothing_that_is_kept_or_told(
    laptop: Laptop, api: httpx2.Client, models: FakeProvider, planted: None
) -> None:
    body = an_agent_body(id="planted", model="claude-haiku-5-5")
    del body["rehearsal"]
    assert api.post("/agents", json=body).status_code in (200, 201)
    for fault in FAULTS:
        told = _answered(laptop, api, models, fault)
        assert PLANTED not in told, fault
    assert not any(PLANTED.encode() in kept for kept in everything_kept(laptop))


def _answered(laptop: Laptop, api: httpx2.Client, models: FakeProvider, fault: str | None) -> str:
    """Start a run whose provider answers with a fault, and return all that its caller can read of it."""
    models.quiet()
    forget_limits(laptop)
    models.script({"text": "It is 42."})
    if fault:
        models.fault(fault)
    begun = len(models.requests)
    started = api.post("/agents/planted/runs", params={"wait": 25}, json={"input": "What is 6 * 7?"})
    run = run_of(api, started)
    assert models.requests[begun:], f"the provider was not asked with the fault {fault}"
    events = api.get(f"/runs/{run['id']}/events").text
    return f"{run} {events}"
