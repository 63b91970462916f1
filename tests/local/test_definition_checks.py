"""Validation of definitions: AWS's codes, messages and locations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.engine.states.definition_checks import diagnose
from infra.local.engine.states.parsing import runnable

ROOT = Path(__file__).resolve().parents[2]
MACHINES = sorted([*ROOT.glob("statemachines/*.asl.json"), *ROOT.glob("tests/golden/workflows/*.asl.json")])
END: dict[str, Any] = {"Type": "Pass", "End": True}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "X"}], "Default": "B"}
CATCH = {
    "Type": "Task",
    "Resource": "r",
    "End": True,
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "X"}],
}


def machine(start: str = "A", language: str | None = None, **states: Any) -> str:
    more = {"QueryLanguage": language} if language else {}
    return json.dumps({**more, "StartAt": start, "States": states})


def step(target: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Next": target, **more}


def inner(**states: Any) -> dict[str, Any]:
    return {"StartAt": "B", "States": states}


def found(text: str) -> list[tuple[str, str, str | None]]:
    return [(one.code, one.message, one.location) for one in diagnose(text) if one.severity == "ERROR"]


TARGET, SCHEMA = "MISSING_TRANSITION_TARGET", "SCHEMA_VALIDATION_FAILED"
NO_END = ("MISSING_END_STATE", "Workflow has no terminal state", None)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (machine(A=step("B"), B=step("A")), [NO_END]),
        (machine(A=step("B"), B=step("A"), C=step("A")), [NO_END]),
        (machine(A=step("B"), B=step("A"), C=END), [(TARGET, 'State "C" is not reachable.', "/States/C")]),
        (machine(A=step("NOPE")), [(TARGET, "Missing 'Next' target: NOPE", "/States/A/Next"), NO_END]),
        (machine(A=CHOICE, B=END), [(TARGET, "Missing 'Next' target: X", "/States/A/Choices[0]/Next")]),
        (machine(A={**CHOICE, "Default": "Y"}, X=END), [(TARGET, "Missing 'Next' target: Y", "/States/A/Default")]),
        (machine(A=CATCH), [(TARGET, "Missing 'Next' target: X", "/States/A/Catch[0]/Next")]),
        (machine("Z", A=END), [(TARGET, "Missing 'Next' target: Z", "/StartAt"),
                               (TARGET, 'State "A" is not reachable.', "/States/A")]),
        (machine(A=END, B=END), [(TARGET, 'State "B" is not reachable.', "/States/B")]),
        (machine(A=END, B=step("C"), C=END), [(TARGET, 'State "B" is not reachable.', "/States/B"),
                                             (TARGET, 'State "C" is not reachable.', "/States/C")]),
        (machine(A={"Type": "Map", "End": True, "ItemProcessor": inner(B=step("A"))}),
         [(TARGET, "Missing 'Next' target: A", "/States/A/ItemProcessor/States/B/Next")]),
        (machine(A={"Type": "Parallel", "End": True, "Branches": [inner(B=END), inner(B=END)]}),
         [("DUPLICATE_STATE_NAME", "Duplicate State name: B", "/States/A/Branches[1]/States/B")]),
        ('{"StartAt":"A","States":{"A":{"Type":"Pass","End":true},"A":{"Type":"Succeed"}}}',
         [("DUPLICATE_STATE_NAME", "Duplicate State name: A", "/States/A")]),
        (machine(A={"Type": "Pass"}, B=END), [
            (SCHEMA, "These fields are required: [Next] or [End]", "/States/A"),
            (TARGET, 'State "B" is not reachable.', "/States/B"),
        ]),
        (machine(A=step("B", End=True), B=END), [(SCHEMA, "Only one of [Next, End] is allowed", "/States/A")]),
        (machine(A={"Type": "Succeed", "End": True}), [(SCHEMA, "Field is not supported: End", "/States/A/End")]),
        (machine(A={"Type": "Task", "End": True}), [(SCHEMA, "These fields are required: [Resource]", "/States/A")]),
        (machine(A={"Type": "Map", "End": True}), [(SCHEMA, "These fields are required: [ItemProcessor]", "/States/A")]),
        (machine(A={"End": True}), [(SCHEMA, "These fields are required: [Type]", "/States/A")]),
        (machine(A={"Type": "Pas", "End": True}), [(SCHEMA, "Value is not valid: Pas", "/States/A/Type")]),
        (machine(A={**CHOICE, "Choices": [{"Variable": "$.a", "IsNull": True}]}, B=END),
         [(SCHEMA, "These fields are required: [Next]", "/States/A/Choices[0]")]),
        ('{"States":{"A":{"Type":"Succeed"}}}', [(SCHEMA, "These fields are required: [StartAt]", "/")]),
        ("{}", [(SCHEMA, "These fields are required: [StartAt, States]", "/")]),
        (machine("a" * 81, **{"a" * 81: END}),
         [("INVALID_STATE_NAME", "State name exceeds 80 characters", "/States/" + "a" * 81)]),
    ],
)  # fmt: skip
def test_faults_have_the_codes_words_and_places_of_aws(
    text: str, faults: list[tuple[str, str, str | None]]
) -> None:
    assert found(text) == faults


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '"x"', '{"StartAt": "A",}', "[" * 100_000])
def test_what_is_no_json_object_is_said_to_be_none(text: str) -> None:
    assert [one.code for one in diagnose(text)] == ["INVALID_JSON_DESCRIPTION"]


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"Output": "{% $states.input. %}"}, "/States/A/Output"),
        ({"Assign": {"x": [1, "{% (1 %}"]}}, "/States/A/Assign/x[1]"),
        ({"Output": {"a": {"b": "{% 1 + %}"}}}, "/States/A/Output/a/b"),
    ],
)
def test_expressions_that_cannot_be_read_are_faults(state: dict[str, Any], place: str) -> None:
    (fault,) = found(machine(language="JSONata", A={"Type": "Pass", "End": True, **state}))
    assert (fault[0], fault[2]) == (SCHEMA, place)
    assert found(machine(A={"Type": "Pass", "End": True, "Result": "{% 1 + %}"})) == []
    assert (
        found(machine(A={"Type": "Pass", "End": True, "QueryLanguage": "JSONata", "Comment": "{% 1 + %}"}))
        == []
    )


def test_a_name_with_a_dollar_promises_a_path() -> None:
    state = {
        "Type": "Pass",
        "Parameters": {"a.$": "b", "c": [{"d.$": 1}], "e.$": "$.x", "f.$": "States.UUID()"},
        "End": True,
    }
    words = "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call"
    assert found(machine(A=state)) == [
        (SCHEMA, words.format("a.$"), "/States/A/Parameters"),
        (SCHEMA, words.format("d.$"), "/States/A/Parameters/c[0]"),
    ]


def test_warnings_are_no_faults() -> None:
    state = {"Type": "Pass", "Parameters": {"a": "$.b", "c.$": "$.d"}, "Result": {"x": "$.y"}, "End": True}
    assert [(one.code, one.severity, one.location) for one in diagnose(machine(A=state))] == [
        ("NO_DOLLAR", "WARNING", "/States/A/Parameters/a"),
        ("PASS_RESULT_IS_STATIC", "WARNING", "/States/A/Result/x"),
    ]


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_machines_of_the_product_have_no_faults(path: Path) -> None:
    assert found(path.read_text(encoding="utf-8")) == []


def test_what_the_laptop_cannot_run_of_a_distributed_map_fails_at_its_state() -> None:
    body = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **inner(B=END)}
    plain = {"Type": "Map", "ItemProcessor": body, "ToleratedFailurePercentage": 5, "End": True}
    read = json.loads(runnable(machine(A=plain)))["States"]["A"]
    assert read["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] == "STANDARD"
    assert read["ToleratedFailurePercentage"] == 5.0
    batched = json.loads(runnable(machine(A={**plain, "ItemBatcher": {"MaxItemsPerBatch": 2}})))["States"][
        "A"
    ]
    cause = "The laptop does not run ItemBatcher of a Distributed Map."
    assert batched == {"Type": "Fail", "Error": "States.Runtime", "Cause": cause}
    assert runnable(machine(A=END)) == machine(A=END)


def choice(**rule: Any) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": [{"Variable": "$.a", **rule, "Next": "B"}]}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "r", "End": True, **more}


def retrying(*rules: dict[str, Any]) -> dict[str, Any]:
    return task(Retry=[{"ErrorEquals": ["X"], **rule} for rule in rules])


WAIT = {"Type": "Wait", "End": True}


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"Type": "Choice", "Choices": [], "Default": "B"}, "/Choices"),
        (choice(), "/Choices[0]"),
        (choice(StringEquals="x", IsNull=True), "/Choices[0]"),
        (choice(NumericEquals="1"), "/Choices[0]/NumericEquals"),
        (choice(NumericEquals=True), "/Choices[0]/NumericEquals"),
        (choice(StringEquals=1), "/Choices[0]/StringEquals"),
        (choice(BooleanEquals="true"), "/Choices[0]/BooleanEquals"),
        (choice(TimestampEquals="2020-01-01"), "/Choices[0]/TimestampEquals"),
        (choice(StringEqualsPath="b"), "/Choices[0]/StringEqualsPath"),
        (choice(StringIs="b"), "/Choices[0]/StringIs"),
        ({"Type": "Choice", "Choices": [{"And": [], "Next": "B"}]}, "/Choices[0]/And"),
        ({"Type": "Choice", "Choices": [{"Not": {"IsNull": True}, "Next": "B"}]}, "/Choices[0]/Not"),
        ({"Type": "Choice", "Choices": [{"And": [{"Variable": "$", "IsNull": 1}], "Next": "B"}]}, "/Choices[0]/And[0]/IsNull"),
        (WAIT, ""),
        ({**WAIT, "Seconds": 1, "SecondsPath": "$.s"}, ""),
        ({**WAIT, "Seconds": -1}, "/Seconds"),
        ({**WAIT, "Timestamp": "tomorrow"}, "/Timestamp"),
        ({"Type": "Parallel", "Branches": [], "End": True}, "/Branches"),
        ({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}, ""),
        (task(TimeoutSeconds=0), "/TimeoutSeconds"),
        (task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"), ""),
        (task(TimeoutSeconds=5, HeartbeatSeconds=5), "/HeartbeatSeconds"),
        (retrying({"ErrorEquals": []}), "/Retry[0]"),
        (retrying({"ErrorEquals": ["States.ALL", "X"]}), "/Retry[0]/ErrorEquals"),
        (retrying({"ErrorEquals": ["States.ALL"]}, {}), "/Retry[0]/ErrorEquals"),
        (retrying({"BackoffRate": 0.5}), "/Retry[0]/BackoffRate"),
        (retrying({"MaxAttempts": -1}), "/Retry[0]/MaxAttempts"),
        (retrying({"JitterStrategy": "SOME"}), "/Retry[0]/JitterStrategy"),
        (retrying({}, {"IntervalSeconds": 5, "MaxDelaySeconds": 5}), "/Retry[1]/MaxDelaySeconds"),
        ({**END, "ResultPath": "$.a[*]"}, "/ResultPath"),
        ({**END, "Output": 1}, "/Output"),
        ({**END, "Parameters": {"x.$": "$.a["}}, "/Parameters"),
        ({**END, "Parameters": {"x.$": "States.Format('{'"}}, "/Parameters"),
        ({**END, "Parameters": {"x": [{"y.$": "States.Nope(1)"}]}}, "/Parameters/x[0]"),
    ],
)  # fmt: skip
def test_fields_that_say_too_much_too_little_or_nonsense_are_faults(
    state: dict[str, Any], place: str
) -> None:
    others = {"B": END} if "Choices" in state else {}
    assert [(code, where) for code, _, where in found(machine(A=state, **others))] == [
        (SCHEMA, f"/States/A{place}")
    ]


@pytest.mark.parametrize(
    "state",
    [
        choice(StringMatches="*"),
        choice(NumericLessThanPath="$limit.low"),
        choice(TimestampLessThan="2020-01-01T00:00:00.5+02:00"),
        {
            "Type": "Choice",
            "Choices": [{"Not": {"Variable": "$$.State.Name", "IsPresent": False}, "Next": "B"}],
        },
        {**WAIT, "Seconds": 0},
        retrying({"IntervalSeconds": 5, "MaxDelaySeconds": 6, "BackoffRate": 1, "JitterStrategy": "FULL"}),
        task(TimeoutSeconds=5, HeartbeatSecondsPath="$.h"),
        {**END, "ResultPath": None},
        {**END, "ResultPath": "$['a b'][0]"},
        {
            **END,
            "Parameters": {"a.$": "$$", "b.$": "$name", "c.$": "$name[0].x", "d.$": "$.l[?(@.a in ['x'])]"},
        },
        {**END, "Parameters": {"a.$": "States.Format('it\\'s ({}, {})', $.a, States.UUID())"}},
    ],
)
def test_fields_of_the_whole_language_are_none(state: dict[str, Any]) -> None:
    others = {"B": END} if "Choices" in state else {}
    assert found(machine(A=state, **others)) == []


def test_fields_of_jsonata_may_be_expressions() -> None:
    wait = {"Type": "Wait", "Timestamp": "{% $states.input.at %}", "End": True}
    each = task(TimeoutSeconds="{% 5 %}", HeartbeatSeconds="{% 1 %}", Output={"a": 1})
    assert found(machine(language="JSONata", A={**wait, "Next": "B"} | {"End": False}, B=each)) == []
