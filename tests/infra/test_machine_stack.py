"""A machine may call the functions that its file names, waits longer than they may run, and logs every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.bundling import Checkout
from infra.config_errors import DefinitionError
from infra.function_configs import FunctionConfig
from infra.machines import TASK_GRACE_S, machine_files, read_definition
from tests.infra.assembly_reading import Assembly, flat, permissions

GREETER = FunctionConfig(name="greeter", purpose="Greets whoever asks.", memory_mb=128, timeout_s=20)


def test_the_machine_has_its_fixed_name(prod: Assembly) -> None:
    (machine,) = prod.properties("machines", "AWS::StepFunctions::StateMachine")
    assert machine["StateMachineName"] == "stepward-prod-agent-run"
    assert machine["StateMachineType"] == "STANDARD"


def test_a_task_waits_longer_than_its_function_may_run(prod: Assembly) -> None:
    (machine,) = prod.properties("machines", "AWS::StepFunctions::StateMachine")
    states = json.loads(machine["DefinitionString"])["States"]
    assert states["AdvanceRun"]["TimeoutSeconds"] == prod.function("agent_advance")["Timeout"] + TASK_GRACE_S


def test_it_calls_only_the_functions_that_it_names(prod: Assembly) -> None:
    (machine,) = prod.properties("machines", "AWS::StepFunctions::StateMachine")
    (role,) = [role for role in prod.properties("machines", "AWS::IAM::Role") if "Calls" in _policies(role)]
    functions = {flat(arn) for arn in machine["DefinitionSubstitutions"].values()}
    invoked = {
        resource for resource, actions in permissions(role).items() if actions == {"lambda:InvokeFunction"}
    }
    assert invoked == functions
    assert {function.rpartition(":")[2] for function in functions} == {
        "stepward-prod-agent-advance",
        "stepward-prod-dispatch",
        "stepward-prod-tool-invoke",
    }


def test_workflows_machines_call_one_room_and_write_awaits(prod: Assembly) -> None:
    (role,) = [role for role in prod.properties("machines", "AWS::IAM::Role") if "Tasks" in _policies(role)]
    allowed = {
        resource.rpartition(":")[2]: actions
        for resource, actions in permissions(role).items()
        if resource != "*"
    }
    assert allowed == {
        "stepward-prod-task-run": {"lambda:InvokeFunction"},
        "table/stepward-prod-journal": {"dynamodb:UpdateItem"},
    }


def _policies(role: dict[str, Any]) -> set[str]:
    return {policy["PolicyName"] for policy in role["Policies"]}


def test_every_step_is_logged_but_no_data(prod: Assembly) -> None:
    (machine,) = prod.properties("machines", "AWS::StepFunctions::StateMachine")
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_small_machine_is_filled_in(small: Checkout) -> None:
    text, called = read_definition(machine_files(small.statemachines)["greet"], [GREETER])
    state = json.loads(text)["States"]["Greet"]
    assert state["TimeoutSeconds"] == 30
    assert state["Arguments"]["FunctionName"] == "${GreeterArn}"
    assert called == [GREETER]


@pytest.mark.parametrize("token", ["GreterArn", "GreterTaskTimeoutSeconds"])
def test_a_function_that_is_not_there_is_named(tmp_path: Path, token: str) -> None:
    file = tmp_path / "odd.asl.json"
    file.write_text(json.dumps({"Value": f"${{{token}}}"}), encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"odd\.asl\.json.*{token}.*did you mean 'Greeter"):
        read_definition(file, [GREETER])
