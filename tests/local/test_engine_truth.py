"""What executions on AWS showed, one test for each subject.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.patience import run_machine

ROLE = "arn:aws:iam::123456789012:role/any"


def make(laptop: Laptop, name: str, definition: dict[str, Any]) -> str:
    machine = laptop.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )
    return str(machine["stateMachineArn"])


def run(
    laptop: Laptop, name: str, state: dict[str, Any], given: Any = None, language: str = "JSONPath"
) -> dict[str, Any]:
    """Run a machine of one state, which ends with it."""
    end = {} if state["Type"] in ("Choice", "Fail") else {"End": True}
    states = {"A": {**state, **end}, "Yes": {"Type": "Pass", "Result": "yes", "End": True}}
    used = states if "Yes" in json.dumps(state) else {"A": states["A"]}
    if language == "JSONata":
        used["A"].setdefault("QueryLanguage", language)
    definition = {"StartAt": "A", "States": used}
    return run_machine(laptop, make(laptop, name, definition), json.dumps(given if given is not None else {}))


def output(
    laptop: Laptop, name: str, state: dict[str, Any], given: Any = None, language: str = "JSONPath"
) -> Any:
    told = run(laptop, name, state, given, language)
    assert told["status"] == "SUCCEEDED", told
    return json.loads(told["output"])


def events(laptop: Laptop, told: dict[str, Any]) -> list[dict[str, Any]]:
    found = laptop.client("stepfunctions").get_execution_history(executionArn=told["executionArn"])
    return list(found["events"])


AGE = {"Variable": "$.age", "NumericGreaterThanEquals": 18}
HERE = {"Variable": "$.age", "IsPresent": True}


@pytest.mark.parametrize(
    ("name", "rule", "given"),
    [
        ("and", {"And": [HERE, AGE]}, {"age": 20}),
        ("or", {"Or": [{"Not": HERE}, AGE]}, {"age": 20}),
        ("not", {"Not": {"And": [HERE, AGE]}}, {}),
        ("deep", {"And": [{"Or": [{"And": [HERE]}]}, {"Not": {"Not": AGE}}]}, {"age": 20}),
    ],
)  # fmt: skip
def test_query_errors_leave_rules_within_rules_alone(
    laptop: Laptop, name: str, rule: dict[str, Any], given: Any
) -> None:
    state = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}]}
    assert output(laptop, f"truth-choice-{name}", state, given) == "yes"


DATA = {
    "list": [{"x": {"y": 1}, "k": "a"}, {"x": 2, "k": "b"}],
    "one": [{"x": 3}],
    "none": [],
    "map": {"a": 1},
    "a.b": {"c": 5},
}


def test_json_path_values_are_one_value_where_a_path_is_definite(laptop: Laptop) -> None:
    paths = {
        "$.list[0].k": "a", "$.list[0].x.y": 1, "$['list'][1]['x']": 2, "$.list[-1].k": "b", "$.list[0]": DATA["list"][0],
        "$['a.b'].c": 5, "$.list[*].k": ["a", "b"], "$.one[*].x": [3], "$.one[0:1].x": [3], "$.one[?(@.x==3)].x": [3],
        "$.one[?(@.x==4)].x": [], "$.none[*].x": [], "$.map.*": [1], "$..y": [1], "$.list[0,1].k": ["a", "b"],
    }  # fmt: skip
    parameters = {f"p{number}.$": path for number, path in enumerate(paths)}
    found = output(laptop, "truth-paths", {"Type": "Pass", "Parameters": parameters}, DATA)
    assert {path: found[f"p{number}"] for number, path in enumerate(paths)} == paths


def test_jsonata_binding_has_variables_that_are_null(laptop: Laptop) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Set",
        "States": {
            "Set": {"Type": "Pass", "Assign": {"found": None, "deep": {"in": [None]}}, "Next": "Use"},
            "Use": {
                "Type": "Pass",
                "Output": {
                    "is": "{% $found = null %}",
                    "exists": "{% $exists($found) %}",
                    "itself": "{% $found %}",
                    "deep": "{% $deep.in[0] = null %}",
                    "type": "{% $type($found) %}",
                },
                "End": True,
            },
        },
    }
    told = run_machine(laptop, make(laptop, "truth-null", definition))
    found = {"is": True, "exists": True, "itself": None, "deep": True, "type": "null"}
    assert json.loads(told["output"]) == found


WAIT = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
EACH = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}


@pytest.mark.parametrize(
    ("name", "state", "given", "error", "cause", "previous"),
    [
        ("late-path", {"Type": "Wait", "TimestampPath": "$.at"}, {"at": "2199-01-01T00:00:00Z"},
         "States.Runtime", "Wait state delay is too long.", [0, 0, 2]),
        ("map", {"Type": "Map", "ItemProcessor": EACH}, {"foo": "b\"r"}, "States.QueryEvaluationError",
         "Map state input must be an array but was: {\"foo\":\"b\\\"r\"}", [0, 0, 0, 3, 4]),
        ("until", {"Type": "Wait", "Timestamp": "{% $states.input.at %}"}, {"at": "2016-12-05 21:29:29Z"},
         "States.QueryEvaluationError", f"{WAIT}2016-12-05 21:29:29Z", [0, 0, 2, 3]),
        ("nothing", {"Type": "Pass", "Output": "{% $nothing %}"}, {}, "States.QueryEvaluationError",
         "The JSONata expression '$nothing' specified for the field 'Output' returned nothing (undefined).", [0, 0, 0, 3]),
        ("late", {"Type": "Wait", "Timestamp": "{% $states.input.at %}"}, {"at": "2199-01-01T00:00:00Z"},
         "States.Runtime", "Wait state delay is too long.", [0, 0, 2]),
    ],
)  # fmt: skip
def test_query_errors_and_wait_times_are_worded_as_on_aws(
    laptop: Laptop, name: str, state: dict[str, Any], given: Any, error: str, cause: str, previous: list[int]
) -> None:
    told = run(laptop, f"truth-words-{name}", state, given, "JSONPath" if name == "late-path" else "JSONata")
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", error, place + cause)
    assert [event["previousEventId"] for event in events(laptop, told)] == previous


def test_activities_that_are_gone_end_the_execution(laptop: Laptop) -> None:
    machines = laptop.client("stepfunctions")
    arn = machines.create_activity(name="truth-gone")["activityArn"]
    machines.delete_activity(activityArn=arn)
    told = run(laptop, "truth-activity", {"Type": "Task", "Resource": arn})
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert (told["error"], told["cause"]) == ("States.Runtime", f"{place}The activity {arn} does not exist.")
    assert [event["type"] for event in events(laptop, told)] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ExecutionFailed",
    ]


def test_assigned_strings_are_json_in_the_history(laptop: Laptop) -> None:
    state = {"Type": "Pass", "Assign": {"text": 'say "hi"\n', "read.$": "$.said", "n": 1}}
    told = run(laptop, "truth-assigned", state, {"said": 'a "b"'})
    exited = next(event for event in events(laptop, told) if event["type"] == "PassStateExited")
    assigned = {"text": '"say \\"hi\\"\\n"', "read": '"a \\"b\\""', "n": "1"}
    assert exited["stateExitedEventDetails"]["assignedVariables"] == assigned


def test_intrinsic_texts_have_escapes_brackets_and_any_letter(laptop: Laptop) -> None:
    calls = {
        "States.Format('it\\'s {}', $.who)": "it's x",
        "States.Format('{}', $['a']['b'])": "B",
        "States.Format('{}', $.a['c d'].e)": "E",
        "States.Format('{}', $.list[?(@.n == 2)].t)": "[two]",
        "States.Format('{}', $.list[0].t)": "one",
        "States.Format('café {}', $.who)": "café x",
        "States.Format('{}', States.Array(1))": "[1]",
        "States.Format('\\{{}\\} \\\\', $.who)": "{x} \\",
        "States.Format('{} and {}', $.a, $.n)": "{b=B, c d={e=E}} and null",
        "States.StringSplit('a,b)c', ',')": ["a", "b)c"],
        "States.Array('\\{\\}', $.who, 'd\\'or', States.Format('{}', 'in, (side)'))": [
            "{}",
            "x",
            "d'or",
            "in, (side)",
        ],
        "States.Format($.template, $.who)": "<x>",
        "States.JsonToString($.list[1])": '{"n":2,"t":"two"}',
        "States.Array($$.Execution.Input['who'], $$.State.Name)": ["x", "A"],
        "States.MathAdd($.list[0].n, -1)": 0,
    }
    given = {
        "who": "x", "a": {"b": "B", "c d": {"e": "E"}}, "n": None, "template": "<{}>",
        "list": [{"n": 1, "t": "one"}, {"n": 2, "t": "two"}],
    }  # fmt: skip
    parameters = {f"c{number}.$": call for number, call in enumerate(calls)}
    found = output(laptop, "truth-intrinsics", {"Type": "Pass", "Parameters": parameters}, given)
    assert {call: found[f"c{number}"] for number, call in enumerate(calls)} == calls
