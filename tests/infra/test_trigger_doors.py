"""The doors by which agents start by themselves: who may come in, and that nothing else was opened for them."""

from __future__ import annotations

import pytest

from infra.config import load_config
from infra.config_errors import DefinitionError
from infra.names import Arns, Names
from tests.infra.assembly_reading import Assembly, flat, permissions

PLACE = "<region>:<accountid>"
ROOM = f"arn:<partition>:lambda:{PLACE}:function:stepward-prod-trigger-events"
FAILED = f"arn:<partition>:sqs:{PLACE}:stepward-prod-trigger-events-failed"
BUS = "stepward-prod-events"


def test_the_bucket_tells_the_bus_without_a_function_of_the_cdks_own(prod: Assembly) -> None:
    (bucket,) = prod.properties("data", "AWS::S3::Bucket")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert prod.properties("data", "AWS::Lambda::Function") == []


def test_only_tenants_objects_and_the_stages_own_bus_start_the_room(prod: Assembly) -> None:
    rules = [
        rule
        for rule in prod.properties("functions", "AWS::Events::Rule")
        if rule["Name"].startswith("stepward-prod-trigger-events-")
    ]
    objects, events = sorted(rules, key=lambda rule: rule["Name"])
    assert "EventBusName" not in objects
    detail = objects["EventPattern"]["detail"]
    assert [flat(name) for name in detail["bucket"]["name"]] == ["stepward-prod-data-<accountid>"]
    assert detail["object"]["key"] == [{"prefix": "tenants/"}]
    assert (events["EventBusName"], events["EventPattern"]) == (BUS, {"source": [{"prefix": ""}]})
    permitted = {
        flat(body["SourceArn"])
        for body in prod.properties("functions", "AWS::Lambda::Permission")
        if flat(body["FunctionName"]) == ROOM
    }
    assert permitted == {
        f"arn:<partition>:events:{PLACE}:rule/{objects['Name']}",
        f"arn:<partition>:events:{PLACE}:rule/{BUS}/{events['Name']}",
    }


def test_schedules_start_one_room_in_a_role_that_only_they_can_take(prod: Assembly) -> None:
    roles = prod.properties("functions", "AWS::IAM::Role")
    (role,) = [role for role in roles if "RoleName" in role]
    assert permissions(role) == {ROOM: {"lambda:InvokeFunction"}, FAILED: {"sqs:SendMessage"}}
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    group = trust["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert flat(group) == f"arn:<partition>:scheduler:{PLACE}:schedule-group/stepward-prod-triggers"
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_schedules_of_users_stay_when_stacks_go(prod: Assembly) -> None:
    (group,) = prod.resources("data", "AWS::Scheduler::ScheduleGroup").values()
    assert group["DeletionPolicy"] == "Retain"


def test_names_of_rules_and_roles_are_spelt_as_aws_does() -> None:
    arns = Arns(Names("dev"), "aws", "eu-central-1", "123456789012")
    assert arns.rule("room", "1") == "arn:aws:events:eu-central-1:123456789012:rule/stepward-dev-room-1"
    assert arns.rule("room", "1", "events").endswith(":rule/stepward-dev-events/stepward-dev-room-1")
    assert arns.schedule_role() == "arn:aws:iam::123456789012:role/stepward-dev-triggers-eu-central-1"


@pytest.mark.parametrize(
    "sources", ['{"a b" = "acme"}', '{shop = "Acme Inc"}', '{shop = ["acme"]}', '"shop"']
)
def test_a_source_that_cannot_be_read_is_refused(sources: str) -> None:
    with pytest.raises(DefinitionError, match="event_sources"):
        load_config("dev", settings=[f"event_sources={sources}"])
