"""A room may do what its words say and nothing else; a grant that grows unseen is found here."""

from __future__ import annotations

import tomllib

import pytest

from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.rooms import QueueSpec, RoomSpec, load_rooms
from infra.triggers import RuleSpec, StreamSpec
from tests.infra.assembly_reading import ROOT, Assembly, as_list, permissions, statements

PLACE = "<region>:<accountid>"
TABLE = f"arn:<partition>:dynamodb:{PLACE}:table/stepward-prod-"
BUCKET = "arn:<partition>:s3:::stepward-prod-data-<accountid>"
WEBHOOK_KEY = f"arn:<partition>:ssm:{PLACE}:parameter/stepward/prod/webhook-key"
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
    "runtime:get": {f"{TABLE}runtime": {"dynamodb:GetItem"}},
    "runtime:start": {
        f"{TABLE}runtime": {"dynamodb:GetItem"} | WRITE,
        f"{TABLE}runtime/index/GSI2": QUERY,
    },
    "runtime:budget": {
        f"{TABLE}runtime": READ | {"dynamodb:UpdateItem"},
        f"{TABLE}runtime/index/GSI1": QUERY,
        f"{TABLE}runtime/index/GSI2": QUERY,
        f"{TABLE}runtime/index/GSI3": QUERY,
    },
    "registry:get": {f"{TABLE}registry": {"dynamodb:GetItem", "dynamodb:BatchGetItem"}},
    "registry:find": {f"{TABLE}registry": READ | {"dynamodb:BatchGetItem"}},
    "registry:configure": {
        f"{TABLE}registry": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"}
    },
    "registry:publish-tools": {f"{TABLE}registry": {"dynamodb:Query", "dynamodb:PutItem"}},
    "triggers:get": {f"{TABLE}triggers": {"dynamodb:GetItem"}},
    "webhook-key:read": {WEBHOOK_KEY: {"ssm:GetParameter"}},
    "webhook-key:make": {WEBHOOK_KEY: {"ssm:GetParameter", "ssm:PutParameter"}},
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
    "webhook-key": "WEBHOOK_KEY",
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


ANONYMOUS = [name for name, room in ROOMS.items() if room.open_routes and name != "health"]


@pytest.mark.parametrize("room", ANONYMOUS)
def test_who_serves_strangers_takes_nothing_away_and_lists_nothing(prod: Assembly, room: str) -> None:
    found = permissions(prod.role_of(room))
    actions = {action for some in found.values() for action in some}
    assert not {one for one in actions if "Delete" in one or "Scan" in one or one.endswith(":ListBucket")}
    listed = [resource for resource, some in found.items() if "dynamodb:Query" in some]
    assert {f"{TABLE}runtime", f"{TABLE}triggers", f"{TABLE}identity"}.isdisjoint(listed)
    assert all(not resource.endswith(("GSI1", "GSI3")) for resource in listed)


def test_anonymous_functions_are_those_that_are_known() -> None:
    assert ANONYMOUS == ["callbacks", "webhooks"]


@pytest.mark.parametrize("room", ["costs_api", "tool_publisher"])
def test_who_sets_prices_or_publishes_tools_leaves_agents_alone(prod: Assembly, room: str) -> None:
    assert "dynamodb:DeleteItem" not in permissions(prod.role_of(room))[f"{TABLE}registry"]
    writes = [
        statement
        for statement in statements(prod.role_of(room))
        if set(as_list(statement["Action"])) & {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    ]
    assert writes
    for statement in writes:
        (keys,) = statement["Condition"].values()
        assert list(keys) == ["dynamodb:LeadingKeys"]


@pytest.mark.parametrize(
    ("room", "service"),
    [("triggers_api", "scheduler.amazonaws.com"), ("workflow_publisher", "states.amazonaws.com")],
)
def test_a_role_is_passed_to_its_service_only(prod: Assembly, room: str, service: str) -> None:
    (passes,) = [one for one in statements(prod.role_of(room)) if "iam:PassRole" in as_list(one["Action"])]
    assert passes["Condition"] == {"StringEquals": {"iam:PassedToService": service}}


def test_nobody_else_passes_roles(prod: Assembly) -> None:
    passing = {
        room
        for room in ROOMS
        if any("iam:PassRole" in actions for actions in permissions(prod.role_of(room)).values())
    }
    assert passing == {"triggers_api", "workflow_publisher"}


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
