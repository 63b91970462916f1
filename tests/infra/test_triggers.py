"""A room that events start is connected to exactly those events, and nothing that fails there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundling import Checkout
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from tests.infra.assembly_reading import Assembly, flat, permissions
from tests.infra.small_checkout import CLOSER, FOLLOWER, a_room

PLACE = "<region>:<accountid>"
FAILED = f"arn:<partition>:sqs:{PLACE}:stepward-dev-closer-failed"
RULES = ("stepward-dev-closer-1", "stepward-dev-closer-2", "stepward-dev-closer-clock")


def load(folder: Path, toml: str) -> list[FunctionConfig]:
    a_room(Checkout.at(folder), "closer", toml)
    return load_functions(folder / "functions", grant_words(["greet"]), ["greet"])


def test_each_rule_starts_the_room(dev: Assembly) -> None:
    rules = {rule["Name"]: rule for rule in dev.properties("functions", "AWS::Events::Rule")}
    assert set(rules) == set(RULES)
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert flat(target["Arn"]) == f"arn:<partition>:lambda:{PLACE}:function:stepward-dev-closer"
        assert flat(target["DeadLetterConfig"]["Arn"]) == FAILED
    assert rules[RULES[2]]["ScheduleExpression"] == "rate(5 minutes)"
    assert rules[RULES[1]]["EventPattern"] == {"source": [{"prefix": "shop."}]}


def test_a_rule_names_a_machine_by_its_file(dev: Assembly) -> None:
    rules = dev.properties("functions", "AWS::Events::Rule")
    detail = next(rule for rule in rules if rule["Name"] == RULES[0])["EventPattern"]["detail"]
    assert detail["status"] == ["FAILED", "ABORTED"]
    assert [flat(arn) for arn in detail["stateMachineArn"]] == [
        f"arn:<partition>:states:{PLACE}:stateMachine:stepward-dev-greet"
    ]


def test_only_these_rules_may_start_the_room(dev: Assembly) -> None:
    permitted = [
        flat(body["SourceArn"])
        for body in dev.properties("functions", "AWS::Lambda::Permission")
        if body["Principal"] == "events.amazonaws.com"
    ]
    assert sorted(permitted) == [f"arn:<partition>:events:{PLACE}:rule/{name}" for name in RULES]


def test_what_fails_is_kept(dev: Assembly) -> None:
    (config,) = dev.properties("functions", "AWS::Lambda::EventInvokeConfig")
    assert flat(config["DestinationConfig"]["OnFailure"]["Destination"]) == FAILED
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 3600)
    assert permissions(dev.role_of("closer"))[FAILED] == {"sqs:SendMessage"}
    queue = next(q for q in dev.properties("queues", "AWS::SQS::Queue") if q["QueueName"].endswith("-failed"))
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (14 * 86_400, True)


def test_only_these_rules_may_fill_the_queue_of_failures(dev: Assembly) -> None:
    statements = [
        statement
        for body in dev.properties("queues", "AWS::SQS::QueuePolicy")
        for statement in body["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = statements
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert [flat(arn).rsplit("/", 1)[1] for arn in sources] == list(RULES)


def test_a_room_follows_a_table(dev: Assembly) -> None:
    mapping = next(
        body
        for body in dev.properties("functions", "AWS::Lambda::EventSourceMapping")
        if "StartingPosition" in body
    )
    assert mapping["EventSourceArn"] == {
        "Fn::GetStackOutput": {"StackName": "stepward-dev-data", "OutputName": "JournalStream"}
    }
    assert "Export" not in dev.template("data")["Outputs"]["JournalStream"]
    assert (mapping["BatchSize"], mapping["MaximumRetryAttempts"]) == (50, 3)
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["FilterCriteria"]["Filters"] == [{"Pattern": '{"eventName": ["INSERT"]}'}]
    failed = FAILED.replace("closer", "follower")
    assert flat(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == failed
    allowed = permissions(dev.role_of("follower"))
    assert allowed[failed] == {"sqs:SendMessage"}
    assert allowed[f"arn:<partition>:dynamodb:{PLACE}:table/stepward-dev-journal/stream/*"] == {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    }


def test_only_a_table_with_a_stream_can_be_followed(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"'runtime' has no stream; tables with one: journal"):
        load(tmp_path, FOLLOWER.replace('table = "journal"', 'table = "runtime"'))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("machine.greet", "machine.gret"),
            r"unknown reference 'machine\.gret'; did you mean 'machine\.greet'\?",
        ),
        (("rate(5 minutes)", "rate(5 minute)"), r"schedule: .*write rate\(1 minute\) or rate\(2 minutes\)"),
        (("rate(5 minutes)", "cron(0 8 * * MON-FRI *)"), r"one of day-of-month and day-of-week must be \?"),
        (("rate(5 minutes)", "at(2030-01-31T08:00:00)"), r"a function's schedule recurs"),
        (("rate(5 minutes)", "daily"), r"write rate\(5 minutes\), cron"),
        (('["FAILED", "ABORTED"]', '"FAILED"'), r"status: .*list the values that match"),
        (("detail_type", "detail_typ"), r"unknown word"),
    ],
)
def test_a_wrong_trigger(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert change[0] in CLOSER
    with pytest.raises(DefinitionError, match=said):
        load(tmp_path, CLOSER.replace(*change))


def test_names_of_rules_fit(tmp_path: Path) -> None:
    a_room(Checkout.at(tmp_path), "a" * 29, CLOSER)
    with pytest.raises(DefinitionError, match="leaves it 28 characters"):
        load_functions(tmp_path / "functions", grant_words(["greet"]), ["greet"])
