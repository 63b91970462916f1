"""What Step Functions refuses of a definition: AWS's codes, words and places, and nothing where there is no fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.engine.definition_checks import diagnose
from infra.local.engine.distributed_maps import runnable

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
