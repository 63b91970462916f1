"""A room may do what its words say and nothing else; a grant that grows unseen is found here."""

from __future__ import annotations

import tomllib

import pytest

from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.rooms import QueueSpec, RoomSpec, load_rooms
from infra.triggers import RuleSpec, StreamSpec
from tests.infra.assembly_reading import ROOT, Assembly, permissions

PLACE = "<region>:<accountid>"
TABLE = f"arn:<partition>:dynamodb:{PLACE}:table/stepward-prod-"
BUCKET = "arn:<partition>:s3:::stepward-prod-data-<accountid>"
STATES = f"arn:<partition>:states:{PLACE}"
READ = {"dynamodb:GetItem", "dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
QUERY = {"dynamodb:Query"}

# Written out by hand and not taken from the table of words: this is what the words are meant to say.
MEANING: dict[str, dict[str, set[str]]] = {
    "journal:append": {f"{TABLE}journal": {"dynamodb:PutItem", "dynamodb:UpdateItem"}},
    "journal:read": {f"{TABLE}journal": READ | {"dynamodb:BatchGetItem"}},
    "runtime:read": {
        f"{TABLE}runtime": READ,
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "runtime:read-write": {
        f"{TABLE}runtime": READ | WRITE | {"dynamodb:DeleteItem"},
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "runtime:check": {f"{TABLE}runtime": {"dynamodb:ConditionCheckItem"}},
    "registry:read": {
        f"{TABLE}registry": READ | {"dynamodb:BatchGetItem"},
        f"{TABLE}registry/index/GSI1": QUERY,
    },
    "registry:read-write": {
        f"{TABLE}registry": READ | WRITE | {"dynamodb:BatchGetItem", "dynamodb:DeleteItem"},
        f"{TABLE}registry/index/GSI1": QUERY,
    },
    "identity:read": {f"{TABLE}identity": {"dynamodb:GetItem"}},
    "tools:invoke": {
        f"arn:<partition>:lambda:{PLACE}:function:stepward-prod-{folder.name.replace('_', '-')}": {
            "lambda:InvokeFunction"
        }
        for folder in (ROOT / "functions").iterdir()
        if (folder / "function.toml").is_file()
        and tomllib.loads((folder / "function.toml").read_text()).get("tools")
    },
    "lambda-tools:invoke": {},
    "limits:read-write": {f"{TABLE}limits": {"dynamodb:GetItem"} | WRITE},
    "triggers:read": {f"{TABLE}triggers": READ},
    "triggers:record": {f"{TABLE}triggers": {"dynamodb:UpdateItem"}},
    "triggers:define": {f"{TABLE}triggers": READ | {"dynamodb:PutItem", "dynamodb:DeleteItem"}},
    "schedules:define": {
        f"arn:<partition>:scheduler:{PLACE}:schedule/stepward-prod-triggers/*": {
            "scheduler:CreateSchedule",
            "scheduler:UpdateSchedule",
            "scheduler:DeleteSchedule",
        },
        "arn:<partition>:iam::<accountid>:role/stepward-prod-triggers-<region>": {"iam:PassRole"},
    },
    "events:put": {f"arn:<partition>:events:{PLACE}:event-bus/default": {"events:PutEvents"}},
    "bus:put": {f"arn:<partition>:events:{PLACE}:event-bus/stepward-prod-events": {"events:PutEvents"}},
    "workflows:start": {f"{STATES}:stateMachine:sw-prod-*": {"states:StartExecution"}},
    "workflows:answer": {
        f"{STATES}:stateMachine:sw-prod-*": {"states:SendTaskSuccess", "states:SendTaskFailure"}
    },
    "workflows:stop": {f"{STATES}:execution:sw-prod-*": {"states:StopExecution"}},
    "workflows:describe": {f"{STATES}:execution:sw-prod-*": {"states:DescribeExecution"}},
    "workflows:inspect": {f"{STATES}:stateMachine:sw-prod-*": {"states:DescribeStateMachine"}},
    "workflows:order": {
        f"arn:<partition>:lambda:{PLACE}:function:stepward-prod-workflow-publisher": {"lambda:InvokeFunction"}
    },
    "workflows:publish": {
        f"{STATES}:stateMachine:sw-prod-*": {
            "states:CreateStateMachine",
            "states:DeleteStateMachine",
            "states:TagResource",
        },
        "arn:<partition>:iam::<accountid>:role/stepward-prod-workflows-<region>": {"iam:PassRole"},
    },
    "data:read": {f"{BUCKET}/tenants/*": {"s3:GetObject"}},
    "data:read-write": {f"{BUCKET}/tenants/*": {"s3:GetObject", "s3:PutObject"}},
    "data:list": {BUCKET: {"s3:ListBucket"}},
    "blobs:read": {f"{BUCKET}/blobs/*": {"s3:GetObject"}},
    "blobs:read-write": {f"{BUCKET}/blobs/*": {"s3:GetObject", "s3:PutObject"}},
    "agent-run:start": {f"{STATES}:stateMachine:stepward-prod-agent-run": {"states:StartExecution"}},
    "agent-run:answer": {f"{STATES}:stateMachine:stepward-prod-agent-run": {"states:SendTaskSuccess"}},
    "dispatch:send": {f"arn:<partition>:sqs:{PLACE}:stepward-prod-dispatch": {"sqs:SendMessage"}},
    "agent-run:stop": {f"{STATES}:execution:stepward-prod-agent-run:*": {"states:StopExecution"}},
    "agent-run:describe": {f"{STATES}:execution:stepward-prod-agent-run:*": {"states:DescribeExecution"}},
}
VARIABLES = {
    "journal": "JOURNAL_TABLE",
    "runtime": "RUNTIME_TABLE",
    "registry": "REGISTRY_TABLE",
    "identity": "IDENTITY_TABLE",
    "limits": "LIMITS_TABLE",
    "tools": "TOOL_FUNCTIONS",
    "lambda-tools": "LAMBDA_TOOLS",
    "triggers": "TRIGGERS_TABLE",
    "data": "DATA_BUCKET",
    "blobs": "DATA_BUCKET",
    "agent-run": "AGENT_RUN_MACHINE_ARN",
    "dispatch": "DISPATCH_QUEUE_URL",
    "events": "",
    "bus": "EVENT_BUS",
    "workflows": "WORKFLOW_MACHINES",
    "workflows:order": "WORKFLOW_PUBLISHER",
    "workflows:publish": "WORKFLOW_MACHINES WORKFLOW_ROLE_ARN WORKFLOW_LOG_GROUP_ARN TASK_RUN_ARN JOURNAL_NAME",
    "schedules": "SCHEDULE_GROUP SCHEDULE_ROLE_ARN",
}
ALWAYS_SET = {"STAGE", "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
WORDS = grant_words(["agent-run"]) | tool_words()
ROOMS = {room.name: room for room in load_rooms(ROOT / "functions", WORDS, ["agent-run"])}


def test_every_word_has_a_meaning_here() -> None:
    assert set(WORDS) == set(MEANING)


def test_every_word_is_explained_to_people() -> None:
    readme = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
    words = [*WORDS, *set(RoomSpec.model_fields) - {"name"}, *QueueSpec.model_fields]
    words += [*RuleSpec.model_fields, *StreamSpec.model_fields]
    assert {
        word for word in words if not any(f"`{w}`" in readme for w in (word, f"[{word}]", f"[[{word}]]"))
    } == {"on_schedules", "authorizer", "tools"}
    assert "`tools = true`" in readme
    assert "`on_schedules = true`" in readme
    assert "`authorizer = true`" in readme


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_may_do_what_its_words_say_and_log(prod: Assembly, room: str) -> None:
    group = f"arn:<partition>:logs:{PLACE}:log-group:/aws/lambda/stepward-prod-{room.replace('_', '-')}:*"
    expected: dict[str, set[str]] = {group: {"logs:CreateLogStream", "logs:PutLogEvents"}}
    if ROOMS[room].queue:
        fed = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
        expected[f"arn:<partition>:sqs:{PLACE}:stepward-prod-{room.replace('_', '-')}"] = fed
    for word in ROOMS[room].grants:
        for resource, actions in MEANING[word].items():
            expected[resource] = expected.get(resource, set()) | actions
    if ROOMS[room].keeps_failures:
        failures = f"arn:<partition>:sqs:{PLACE}:stepward-prod-{room.replace('_', '-')}-failed"
        expected[failures] = {"sqs:SendMessage"}
    assert permissions(prod.role_of(room)) == expected


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_reaches_everything(prod: Assembly, room: str) -> None:
    role = prod.role_of(room)
    assert "*" not in permissions(role)
    assert not any("*" in action for actions in permissions(role).values() for action in actions)
    assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_the_names_of_what_it_may_use_and_no_others(prod: Assembly, room: str) -> None:
    variables = set(prod.function(room)["Environment"]["Variables"])
    by_grant = {
        name
        for word in ROOMS[room].grants
        for name in VARIABLES.get(word, VARIABLES.get(word.split(":", maxsplit=1)[0], "")).split()
    }
    assert variables == ALWAYS_SET | by_grant | set(ROOMS[room].environment)


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_is_what_its_file_says(prod: Assembly, room: str) -> None:
    function, spec = prod.function(room), ROOMS[room]
    assert (function["MemorySize"], function["Timeout"]) == (spec.memory_mb, spec.timeout_s)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == f"functions.{room}.handler.handle"
    assert function["Description"] == spec.purpose
    assert function.get("ReservedConcurrentExecutions") == spec.reserved_concurrency
    assert "Layers" not in function


def test_what_everything_needs_has_a_share_of_its_own_where_the_stage_allows_it(
    prod: Assembly, dev: Assembly
) -> None:
    for room in ("agent_advance", "authorizer"):
        assert prod.function(room)["ReservedConcurrentExecutions"] >= 50
    reserved = sum(prod.function(room).get("ReservedConcurrentExecutions", 0) for room in ROOMS)
    assert reserved <= 400, "an account has 1,000 at first, and 100 of them cannot be reserved"
    assert all(
        "ReservedConcurrentExecutions" not in function
        for function in dev.properties("functions", "AWS::Lambda::Function")
    )


def test_logs_expire_everywhere(prod: Assembly, dev: Assembly) -> None:
    for assembly, days in ((prod, 90), (dev, 14)):
        for part in assembly.parts:
            for group in assembly.properties(part, "AWS::Logs::LogGroup"):
                assert group["RetentionInDays"] == days, group["LogGroupName"]


def test_the_stage_s_configuration_reaches_the_environment(dev: Assembly) -> None:
    assert dev.function("greeter")["Environment"]["Variables"]["ORIGINS"] == "http://localhost:5173"
