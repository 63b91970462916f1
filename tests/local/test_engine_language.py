"""The Amazon States Language as AWS documents it, one test for each subject.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.patience import run_machine
from tests.local.test_engine_truth import ROLE, events, make, output, run


def chosen(laptop: Laptop, name: str, rule: dict[str, Any], given: Any) -> Any:
    """Give yes where the rule holds, else the input."""
    fits = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}
    states = {"A": fits, "Yes": {"Type": "Pass", "Result": "yes", "End": True}, "No": {"Type": "Succeed"}}
    told = run_machine(laptop, make(laptop, name, {"StartAt": "A", "States": states}), json.dumps(given))
    return json.loads(told["output"]) if told["status"] == "SUCCEEDED" else told["error"]


def test_definition_texts_are_read_as_json(laptop: Laptop) -> None:
    said = '😀 ü \n "q" \\ /'
    states = {
        'Schön "1"': {
            "Type": "Pass",
            "Parameters": {"ü😀": said, "p.$": "$['k ü']"},
            "Next": "B 😀",
        },
        "B 😀": {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"ü": "{% $states.input %}"},
            "End": True,
        },
    }
    definition = json.dumps({"StartAt": 'Schön "1"', "States": states})
    assert "\\ud83d" in definition
    machine = laptop.client("stepfunctions").create_state_machine(
        name="language-texts", definition=definition, roleArn=ROLE
    )
    told = run_machine(laptop, machine["stateMachineArn"], json.dumps({"k ü": 1}))
    assert json.loads(told["output"]) == {"ü": {"ü😀": said, "p": 1}}
    entered = [event["stateEnteredEventDetails"]["name"] for event in events(laptop, told)[1::2][:2]]
    assert entered == list(states)


MOMENT = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "rule", "given"),
    [
        ("offset", {"TimestampEquals": MOMENT}, "2020-01-01T02:00:00+02:00"),
        ("fraction", {"TimestampGreaterThan": MOMENT}, "2020-01-01T00:00:00.5Z"),
        ("less", {"TimestampLessThan": MOMENT}, "2020-01-01T01:00:00+02:00"),
        ("is", {"IsTimestamp": True}, "2020-01-01T00:00:00.123456789-05:30"),
        ("leap", {"IsTimestamp": False}, "2021-02-29T00:00:00.0Z"),
        ("path", {"TimestampEqualsPath": "$.b"}, "2020-01-01T01:00:00+01:00"),
    ],
)  # fmt: skip
def test_timestamps_have_fractions_and_offsets(
    laptop: Laptop, name: str, rule: dict[str, Any], given: str
) -> None:
    if name == "leap":
        rule = {"And": [{"Variable": "$.a", **rule}, {"Variable": "$.b", "IsTimestamp": True}]}
    else:
        rule = {"Variable": "$.a", **rule}
    both = {"a": given, "b": MOMENT if name != "leap" else "2020-01-01T00:00:00+00:00"}
    assert chosen(laptop, f"language-timestamp-{name}", rule, both) == "yes"


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_timestamps_of_waits_have_offsets(laptop: Laptop, language: str) -> None:
    given = {"at": "2016-03-14T01:59:00.5+05:30"}
    field = {"TimestampPath": "$.at"} if language == "JSONPath" else {"Timestamp": "{% $states.input.at %}"}
    assert output(laptop, f"language-wait-{language}", {"Type": "Wait", **field}, given, language) == given


@pytest.mark.parametrize(
    ("name", "rule", "fits", "misses"),
    [
        ("star", {"StringMatches": r"a\*b"}, "a*b", "axb"),
        ("backslash", {"StringMatches": r"a\\*"}, r"a\bc", "abc"),
        ("brackets", {"StringMatches": "[x]?*"}, "[x]?y\nz", "xay"),
        ("number", {"NumericEqualsPath": "$.one"}, 1.0, True),
        ("boolean", {"BooleanEqualsPath": "$.true"}, True, 1),
        ("text", {"StringLessThanPath": "$.text"}, "a", 5),
    ],
)
def test_choice_comparisons_keep_kinds_apart(
    laptop: Laptop, name: str, rule: dict[str, Any], fits: Any, misses: Any
) -> None:
    known = {"one": 1, "true": True, "text": "b"}
    arm = {"Variable": "$.a", **rule}
    given = [
        chosen(laptop, f"language-{name}-{n}", arm, {"a": a, **known}) for n, a in enumerate((fits, misses))
    ]
    assert given == ["yes", {"a": misses, **known}]


def test_choice_comparisons_with_what_is_of_another_kind_never_fit(laptop: Laptop) -> None:
    given = {"a": "b", "b": 1}
    rule = {"Variable": "$.a", "StringLessThanPath": "$.b"}
    assert chosen(laptop, "language-kinds", rule, given) == given


def test_choice_comparisons_read_the_context_on_either_side(laptop: Laptop) -> None:
    rule = {
        "And": [
            {"Variable": "$.name", "StringEqualsPath": "$$.State.Name"},
            {"Variable": "$$.State.EnteredTime", "TimestampGreaterThanEqualsPath": "$$.Execution.StartTime"},
        ]
    }
    assert chosen(laptop, "language-context", rule, {"name": "A"}) == "yes"


def test_choice_misses_are_those_of_the_other_side_too(laptop: Laptop) -> None:
    state = {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringEqualsPath": "$.no", "Next": "Yes"}]}
    told = run(laptop, "language-other-side", state, {"a": "x"})
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    words = "Invalid path '$.no': The choice state's condition path references an invalid value."
    assert (told["error"], told["cause"]) == ("States.Runtime", place + words)


def test_intrinsic_functions_take_what_aws_takes(laptop: Laptop) -> None:
    calls = {
        "States.Array(1.25, null, -3, 1e2, 'null')": [1.25, None, -3, 100.0, "null"],
        "States.ArrayRange(5, 1, -2)": [5, 3, 1],
        "States.ArrayUnique($.mixed)": [{"a": 1}, 1, True, "1", None],
        "States.ArrayContains($.mixed, 0)": False,
        "States.ArrayContains($.truths, 1)": False,
        "States.MathRandom(3, 4)": 3,
        "States.Format('{} {}', 2.5, null)": "2.5 null",
        "States.JsonToString($.letters)": '{"é":"😀"}',
        "States.Base64Encode('é')": "w6k=",
        "States.Base64Decode('w6k=')": "é",
    }
    given = {
        "mixed": [{"a": 1}, {"a": 1}, 1, 1.0, True, "1", None, None],
        "truths": [True],
        "letters": {"é": "😀"},
    }
    parameters = {f"c{number}.$": call for number, call in enumerate(calls)}
    found = output(laptop, "language-intrinsics", {"Type": "Pass", "Parameters": parameters}, given)
    assert {call: found[f"c{number}"] for number, call in enumerate(calls)} == calls


@pytest.mark.parametrize(
    ("name", "call", "error", "words"),
    [
        ("index", "States.ArrayGetItem($.list, -1)", "States.IntrinsicFailure", "The index -1 is outside"),
        ("json", "States.StringToJson('no')", "States.IntrinsicFailure", "Expecting value"),
        ("path", "States.Format('{} d\\'or', $.no)", "States.Runtime",
         "The JsonPath argument for the field '$.no' could not be found in the input '{\"list\":[1]}'"),
    ],
)  # fmt: skip
def test_intrinsic_functions_fail_by_their_name(
    laptop: Laptop, name: str, call: str, error: str, words: str
) -> None:
    told = run(laptop, f"language-fails-{name}", {"Type": "Pass", "Parameters": {"x.$": call}}, {"list": [1]})
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert told["error"] == error
    assert told["cause"].startswith(f"{place}The function '{call}' had the following error: {words}")


def test_json_path_values_are_those_of_variables_too(laptop: Laptop) -> None:
    read = {"a.$": "$l[*].x", "b.$": "$l[0].x", "c.$": "$l[?(@.x > 1)].x", "n.$": "States.ArrayLength($l)"}
    definition = {
        "StartAt": "S",
        "States": {
            "S": {"Type": "Pass", "Assign": {"l.$": "$"}, "Next": "U"},
            "U": {"Type": "Pass", "Parameters": read, "End": True},
        },
    }
    told = run_machine(laptop, make(laptop, "language-variables", definition), '[{"x":1},{"x":2}]')
    assert json.loads(told["output"]) == {"a": [1, 2], "b": 1, "c": [2], "n": 2}


def test_json_path_values_that_nobody_assigned_are_missing(laptop: Laptop) -> None:
    told = run(laptop, "language-unassigned", {"Type": "Pass", "Parameters": {"x.$": "$nobody"}})
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert "The JSONPath '$nobody' specified for the field 'x.$'" in told["cause"]


@pytest.mark.parametrize(
    ("path", "given", "cause"),
    [
        ("$.a.b", {"a": "x"}, 'Unable to apply step "b" to input "x"'),
        ("$.a", [1], 'Unable to apply step "a" to input [1]'),
        ("$.a[5]", {"a": [1]}, 'Unable to apply step "5" to input [1]'),
    ],
)
def test_result_paths_that_lead_into_no_object_have_their_error(
    laptop: Laptop, path: str, given: Any, cause: str
) -> None:
    state = {"Type": "Pass", "Result": 1, "ResultPath": path}
    told = run(laptop, f"language-result-{len(path)}-{len(cause)}", state, given)
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert (told["error"], told["cause"]) == ("States.ResultPathMatchFailure", place + cause)


def test_assign_order_shows_no_output_what_is_assigned_beside_it(laptop: Laptop) -> None:
    states = {
        "S": {"Type": "Pass", "Assign": {"a": 1}, "Next": "T"},
        "T": {"Type": "Pass", "Assign": {"a": "{% $a + 1 %}"}, "Output": "{% $a %}", "Next": "C"},
        "C": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $a = 2 %}", "Assign": {"a": 9}, "Output": "{% [$states.input, $a] %}", "Next": "U"}],
        },
        "U": {"Type": "Pass", "Output": "{% $append($states.input, $a) %}", "End": True},
    }  # fmt: skip
    definition = {"QueryLanguage": "JSONata", "StartAt": "S", "States": states}
    told = run_machine(laptop, make(laptop, "language-assign", definition))
    assert json.loads(told["output"]) == [1, 2, 9]


def test_task_texts_are_short_json_in_any_letters(laptop: Laptop) -> None:
    queues = laptop.client("sqs")
    queue = queues.create_queue(QueueName="language-texts")["QueueUrl"]
    sent = {"QueueUrl": queue, "MessageBody": {"name": "Zoë", "list": [1, {}]}}
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": sent}
    output(laptop, "language-bodies", state)
    (message,) = queues.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == '{"name":"Zoë","list":[1,{}]}'
