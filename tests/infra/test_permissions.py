"""A room may do what its words say and nothing else; a grant that grows unseen is found here."""

from __future__ import annotations

import pytest

from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, QueueSpec, load_functions
from infra.triggers import RuleSpec, StreamSpec
from tests.infra.assembly_reading import ROOT, Assembly, as_list, flat, permissions, statements
from tests.infra.grant_meanings import MEANING, PLACE, TABLE, VARIABLES

ALWAYS_SET = {"STAGE", "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
WORDS = grant_words(["agent-run"])
ROOMS = {room.name: room for room in load_functions(ROOT / "functions", WORDS, ["agent-run"])}


def test_every_word_has_a_meaning_here() -> None:
    assert set(WORDS) == set(MEANING)


def test_every_word_is_explained_to_people() -> None:
    readme = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
    words = [*WORDS, *set(FunctionConfig.model_fields) - {"name"}, *QueueSpec.model_fields]
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


def test_keys_of_providers_are_read_by_the_one_function_that_calls_models(prod: Assembly) -> None:
    reading = {
        (room, resource, action)
        for room in ROOMS
        for resource, actions in permissions(prod.role_of(room)).items()
        for action in actions
        if action.startswith(("secretsmanager:", "kms:"))
    }
    secrets = f"arn:<partition>:secretsmanager:{PLACE}:secret:stepward/prod/providers/*"
    assert reading == {("agent_advance", secrets, "secretsmanager:GetSecretValue")}


def test_models_on_bedrock_are_called_by_the_one_function_that_calls_models(prod: Assembly) -> None:
    calling = {
        room
        for room in ROOMS
        for actions in permissions(prod.role_of(room)).values()
        if any(action.startswith("bedrock:") for action in actions)
    }
    assert calling == {"agent_advance"}


def test_providers_limits_and_kept_replies_are_reached_and_nothing_else_of_tenants(prod: Assembly) -> None:
    reached = {
        one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"][0]: set(as_list(one["Action"]))
        for one in statements(prod.role_of("agent_advance"))
        if any("limits" in str(resource) for resource in as_list(one["Resource"]))
    }
    assert reached == {
        "PROVIDER#*": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "T#*#RESPONSE#*": {"dynamodb:GetItem", "dynamodb:PutItem"},
    }


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


@pytest.mark.parametrize("variable", ["WORKER_ARN", "WORKER_ARN_AS_BEFORE"])
def test_a_variable_may_name_another_function(dev: Assembly, variable: str) -> None:
    arn = flat(dev.function("greeter")["Environment"]["Variables"][variable])
    assert arn.endswith(":function:stepward-dev-worker")
