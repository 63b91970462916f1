"""What executions report and how they end, one test for each patch."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.patience import run_machine, wait_for
from tests.local.test_engine_patches import jsonata, make

ENTERED = "An error occurred while executing the state 'A' (entered at the event id #2). "
ECHO = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "small-echo", "Payload.$": "$"},
    "End": True,
}


def one(**state: Any) -> dict[str, Any]:
    """A machine of one state."""
    return {"StartAt": "A", "States": {"A": state}}


def run(laptop: Laptop, name: str, given: Any = None, **state: Any) -> dict[str, Any]:
    return run_machine(laptop, make(laptop, name, one(**state)), json.dumps(given or {}))


def events(laptop: Laptop, found: dict[str, Any]) -> list[dict[str, Any]]:
    return laptop.history(found["executionArn"])


def kinds(laptop: Laptop, found: dict[str, Any]) -> list[str]:
    return [event["type"] for event in events(laptop, found)]


def mapped(task: dict[str, Any]) -> dict[str, Any]:
    processor = {"StartAt": "T", "States": {"T": task}}
    return one(Type="Map", ItemsPath="$.items", ItemProcessor=processor, End=True)


def test_history_ends_with_the_stop_of_a_map(laptop: Laptop) -> None:
    states = laptop.client("stepfunctions")
    wait = {"Type": "Wait", "Seconds": 1, "Next": "U"}
    task = mapped(wait)
    task["States"]["A"]["ItemProcessor"]["States"]["U"] = {
        "Type": "Pass",
        "Parameters": {"a.$": "$.no"},
        "End": True,
    }
    arn = states.start_execution(
        stateMachineArn=make(laptop, "map-stop", task), input=json.dumps({"items": [1, 2]})
    )["executionArn"]
    wait_for(lambda: "WaitStateEntered" in [event["type"] for event in laptop.history(arn)] or None)
    states.stop_execution(executionArn=arn, error="Cancelled", cause="by a person")
    history = laptop.history(arn)
    assert history[-1]["type"] == "ExecutionAborted"
    env = _env(laptop, "map-stop")
    wait_for(lambda: True if env.program_state().__class__.__name__ != "ProgramRunning" else None)
    threading.Event().wait(1.2)  # moto's worker comes to the state after the wait only now
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Cancelled", "by a person")
    assert laptop.history(arn) == history


def _env(laptop: Laptop, name: str) -> Any:
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    backend = stepfunctions_parser_backends["123456789012"]["us-east-1"]
    machine = next(machine for machine in backend.state_machines if machine.name == name)
    return machine.executions[-1].exec_worker.env


def test_execution_outputs_are_json(laptop: Laptop) -> None:
    assert run(laptop, "bare", Type="Pass", Result="HelloWorld", End=True)["output"] == '"HelloWorld"'
    assert run(laptop, "compact", Type="Pass", Result={"a": [1, 2]}, End=True)["output"] == '{"a":[1,2]}'


@pytest.mark.parametrize(
    ("name", "work", "last"),
    [
        (
            "success",
            lambda states, token: states.send_task_success(taskToken=token, output='"done"'),
            "Succeeded",
        ),
        (
            "failure",
            lambda states, token: states.send_task_failure(taskToken=token, error="E", cause="c"),
            "Failed",
        ),
        ("silence", lambda states, token: None, "TimedOut"),
    ],
)
def test_activities_are_worked_for(laptop: Laptop, name: str, work: Callable[..., Any], last: str) -> None:
    states = laptop.client("stepfunctions")
    activity = states.create_activity(name=f"activity-{name}")["activityArn"]

    def worker() -> None:
        task = states.get_activity_task(activityArn=activity, workerName="w")
        assert json.loads(task["input"]) == {"a": 1}
        work(states, task["taskToken"])

    thread = threading.Thread(target=worker)
    thread.start()
    limit = {"TimeoutSeconds": 1} if name == "silence" else {}
    found = run(laptop, f"activity-{name}", {"a": 1}, Type="Task", Resource=activity, End=True, **limit)
    thread.join()
    history = events(laptop, found)
    assert [event["type"] for event in history[2:5]] == [
        "ActivityScheduled",
        "ActivityStarted",
        f"Activity{last}",
    ]
    assert history[3]["activityStartedEventDetails"] == {"workerName": "w"}


def test_context_object_is_json_as_a_whole(laptop: Laptop) -> None:
    whole = json.loads(run(laptop, "context", Type="Pass", Parameters={"c.$": "$$"}, End=True)["output"])["c"]
    assert whole["Execution"]["StartTime"].endswith("Z")
    assert whole["State"]["EnteredTime"].endswith("Z")
    found = jsonata(laptop, "context-jsonata", "{% $states.context %}")
    assert json.loads(found["output"])["StateMachine"]["Name"] == "context-jsonata"


@pytest.mark.parametrize("field", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
def test_failure_events_are_told_once(laptop: Laptop, field: str) -> None:
    found = run(laptop, f"once-{field}", **ECHO, **{field: "$.no.such"})
    assert kinds(laptop, found) == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_query_errors_name_the_field(laptop: Laptop) -> None:
    found = jsonata(laptop, "field", {"result": {"list": [1, "{% $states.input.no %}"]}})
    cause = (
        f"{ENTERED}The JSONata expression '$states.input.no' specified for the field 'Output/result/list[1]' "
        "returned nothing (undefined)."
    )
    assert found["cause"] == cause
    assert events(laptop, found)[2]["evaluationFailedEventDetails"] == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": "Output/result/list[1]",
        "state": "A",
    }


def test_query_errors_of_items_are_told_once(laptop: Laptop) -> None:
    processor = {"StartAt": "T", "States": {"T": {"Type": "Pass", "End": True}}}
    definition = {
        "QueryLanguage": "JSONata",
        **one(Type="Map", Items="{% null %}", ItemProcessor=processor, End=True),
    }
    found = run_machine(laptop, make(laptop, "items", definition))
    assert found["cause"] == (
        f"{ENTERED}The JSONata expression 'null' specified for the field 'Items' returned an unexpected result type. "
        "Expected 'array', but was 'null' for value: null"
    )
    assert kinds(laptop, found).count("EvaluationFailed") == 1


def test_iterations_aborted_by_the_failure_of_another(laptop: Laptop) -> None:
    wait = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "S"}], "Default": "W"}
    machine = mapped(wait)
    machine["States"]["A"]["ItemProcessor"]["States"] |= {
        "S": {"Type": "Wait", "Seconds": 1, "Next": "F"},
        "F": {"Type": "Fail", "Error": "Bad"},
        "W": {"Type": "Wait", "Seconds": 3, "End": True},
    }
    arn = make(laptop, "others", machine)
    found = run_machine(laptop, arn, json.dumps({"items": [2, 1, 3]}))
    assert (found["status"], found["error"]) == ("FAILED", "Bad")
    told = kinds(laptop, found)
    assert told[-5:] == [
        "MapIterationFailed",
        "MapIterationAborted",
        "MapIterationAborted",
        "MapStateFailed",
        "ExecutionFailed",
    ]


def test_iterations_aborted_and_branches_fall_silent(laptop: Laptop) -> None:
    fails = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail", "Error": "Bad"}},
    }
    slow = {"StartAt": "T", "States": {"T": ECHO}}
    machine = one(
        Type="Parallel",
        Branches=[slow, fails],
        Catch=[{"ErrorEquals": ["Bad"], "Next": "B"}],
        End=True,
    )
    machine["States"]["B"] = {"Type": "Wait", "Seconds": 2, "End": True}
    found = run_machine(laptop, make(laptop, "branches", machine), '{"sleep_s": 1.8}')
    assert (found["status"], "TaskSucceeded" in kinds(laptop, found)) == ("SUCCEEDED", False)


def test_error_names_of_aws_come_out_of_a_map(laptop: Laptop) -> None:
    fails = {"Type": "Fail", "Error": "States.Timeout"}
    machine = mapped(fails)
    machine["States"]["A"]["Catch"] = [{"ErrorEquals": ["States.Timeout"], "Next": "B"}]
    machine["States"]["B"] = {"Type": "Pass", "Result": "caught", "End": True}
    found = run_machine(laptop, make(laptop, "aws-names", machine), json.dumps({"items": [1]}))
    assert (found["status"], found.get("output")) == ("SUCCEEDED", '"caught"')


@pytest.mark.parametrize(
    ("name", "state", "cause"),
    [
        ("input", {"InputPath": "$.no.such"}, "Invalid path '$.no.such' : Missing property in path $['no']"),
        ("output", {"OutputPath": "$.a.no"}, "Invalid path '$.a.no' : No results for path: $['a']['no']"),
    ],
)
def test_path_errors_say_what_is_missing(
    laptop: Laptop, name: str, state: dict[str, Any], cause: str
) -> None:
    found = run(laptop, f"path-{name}", {"a": {}}, Type="Pass", End=True, **state)
    assert (found["error"], found["cause"]) == ("States.Runtime", ENTERED + cause)


def test_path_errors_of_parameters_name_the_field(laptop: Laptop) -> None:
    found = run(laptop, "path-parameters", {"a": 1}, **(ECHO | {"Parameters": {"FunctionName.$": "$.no"}}))
    assert found["cause"] == (
        f"{ENTERED}The JSONPath '$.no' specified for the field 'FunctionName.$' could not be found in the input "
        "'{\"a\":1}'"
    )
    assert kinds(laptop, found)[-2:] == ["TaskStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize("value", ["{% 'tomorrow' %}", "{% 5 %}"])
def test_wait_times_of_jsonata_are_query_errors(laptop: Laptop, value: str) -> None:
    definition = {"QueryLanguage": "JSONata", **one(Type="Wait", Timestamp=value, End=True)}
    found = run_machine(laptop, make(laptop, f"wait-{len(value)}", definition))
    assert (found["status"], found["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert events(laptop, found)[2]["evaluationFailedEventDetails"]["location"] == "Timestamp"


def test_wait_times_have_an_end(laptop: Laptop) -> None:
    found = run(laptop, "far", Type="Wait", Timestamp="2199-01-01T00:00:00Z", End=True)
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")


def test_assigned_strings_are_read_as_json(laptop: Laptop) -> None:
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"text": '{"q": "a\\nb"}'}, "Next": "B"},
            "B": {"Type": "Pass", "Parameters": {"read.$": "States.StringToJson($text)"}, "End": True},
        },
    }
    found = run_machine(laptop, make(laptop, "assigned", definition))
    assert json.loads(found["output"]) == {"read": {"q": "a\nb"}}


@pytest.mark.parametrize(
    ("given", "error"), [({"a": 2}, "States.NoChoiceMatched"), ({"b": 2}, "States.Runtime")]
)
def test_choice_misses_have_their_names(laptop: Laptop, given: dict[str, int], error: str) -> None:
    rules = [{"Variable": "$.a", "NumericEquals": 1, "Next": "B"}]
    machine = one(Type="Choice", Choices=rules)
    machine["States"]["B"] = {"Type": "Succeed"}
    found = run_machine(laptop, make(laptop, f"miss-{next(iter(given))}", machine), json.dumps(given))
    assert (found["error"], found["cause"].startswith(ENTERED)) == (error, True)


def test_a_state_says_how_often_it_was_tried(laptop: Laptop) -> None:
    """What `agent-run` counts its events by, in Arguments, Output and Catch."""
    tried = "{% $states.context.State.RetryCount %}"
    fails = "{% $states.context.State.RetryCount < 1 ? {'raise': 'Lambda.Unknown'} : {'answer': 'well'} %}"
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "small-echo", "Payload": fails},
        "Output": {"tried": tried},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        "End": True,
    }
    caught = {
        **task,
        "Arguments": {"FunctionName": "small-echo", "Payload": {"raise": "Lambda.Unknown"}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {"caught": tried}, "Next": "C"}],
    }
    branches = [{"A": task}, {"B": caught, "C": {"Type": "Pass", "End": True}}]
    both = {
        "Type": "Parallel",
        "Branches": [{"StartAt": next(iter(each)), "States": each} for each in branches],
        "End": True,
    }
    machine = {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": both}}
    found = run_machine(laptop, make(laptop, "tried", machine))
    assert json.loads(found["output"]) == [{"tried": 1}, {"caught": 1}]
    assert kinds(laptop, found).count("TaskScheduled") == 4
