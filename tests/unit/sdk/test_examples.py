"""Examples of the SDK and the toolkit that need no stage do what they say."""

from __future__ import annotations

import doctest

import pytest

from tests.support.docstring_examples import examples, play

EXAMPLES = list(examples(of_a_stage=False))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_examples_do_what_they_say(example: doctest.DocTest) -> None:
    assert play(example) == ""


def test_there_are_examples() -> None:
    assert {one.name for one in EXAMPLES} >= {
        "stepward.sdk.flow",
        "stepward.sdk.flow_tasks.goto",
        "stepward.sdk.flow_values.jsonata",
        "stepward.sdk.runs.output_of",
        "stepward.toolkit.function.tool",
        "stepward.toolkit.serve.serve_tools",
    }


def test_a_wrong_example_is_noticed() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert "Expected" in play(test)
