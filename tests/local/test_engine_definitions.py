"""Definitions that AWS refuses are refused, and can be validated without a machine.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.test_engine_truth import make

LOST = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "C"}, "B": {"Type": "Succeed"}}}


def test_machine_definitions_that_aws_refuses_make_no_machine(laptop: Laptop) -> None:
    with pytest.raises(ClientError) as refused:
        make(laptop, "refused-lost", LOST)
    said = (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: C at /States/A/Next, "
        'MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B\''
    )
    assert (refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]) == (
        "InvalidDefinition",
        said,
    )


def test_machine_definitions_are_checked_by_an_action_of_their_own(laptop: Laptop) -> None:
    check = laptop.client("stepfunctions").validate_state_machine_definition
    bad = check(definition=json.dumps(LOST), maxResults=1)
    assert (bad["result"], bad["truncated"]) == ("FAIL", True)
    assert bad["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": "MISSING_TRANSITION_TARGET",
            "message": "Missing 'Next' target: C",
            "location": "/States/A/Next",
        }
    ]
    state: dict[str, Any] = {"Type": "Pass", "Parameters": {"a": "$.b"}, "End": True}
    good = json.dumps({"StartAt": "A", "States": {"A": state}})
    assert check(definition=good)["diagnostics"] == []
    warned = check(definition=good, severity="WARNING")
    assert (warned["result"], [one["code"] for one in warned["diagnostics"]]) == ("OK", ["NO_DOLLAR"])
    grammar = check(definition=json.dumps({"StartAt": "A", "States": {"A": {**state, "Nonsense": 1}}}))
    assert [one["code"] for one in grammar["diagnostics"]] == ["SCHEMA_VALIDATION_FAILED"]


def test_parse_cache_takes_the_whole_grammar_of_distributed_maps(laptop: Laptop) -> None:
    body = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "B",
        "States": {"B": {"Type": "Pass", "End": True}},
    }
    read = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "SEMICOLON"}
    state = {
        "Type": "Map", "ItemProcessor": body, "Label": "Each", "ItemBatcher": {"MaxItemsPerBatch": 10},
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}, "ReaderConfig": read},
        "ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}},
        "ToleratedFailurePercentage": 5, "End": True,
    }  # fmt: skip
    assert make(laptop, "distributed", {"StartAt": "A", "States": {"A": state}})
