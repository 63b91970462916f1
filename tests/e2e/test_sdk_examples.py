"""Examples of the SDK that ask a stage do what they say, on the whole cloud."""

from __future__ import annotations

import doctest

import pytest

from infra.local.laptop import Laptop
from infra.local.library import load_support
from stepward.sdk import Stepward
from tests.support.docstring_examples import examples, play

pytestmark = pytest.mark.laptop

EXAMPLES = list(examples(of_a_stage=True))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_examples_do_what_they_say(example: doctest.DocTest, laptop: Laptop) -> None:
    load_support(laptop)
    for one in example.examples:
        one.source = one.source.replace("http://127.0.0.1:8400", laptop.url).replace("sw_…", laptop.api_key)
    with Stepward(laptop.url, laptop.api_key) as client:
        example.globs["stepward"] = client
        assert play(example) == ""


def test_each_part_of_the_client_has_an_example() -> None:
    named = {one.name.rpartition(".")[2] for one in EXAMPLES}
    parts = {type(value).__name__ for name in dir(Stepward) if (value := _part(name)) is not None}
    assert parts - named == set()


def _part(name: str) -> object | None:
    """Read one of the client's parts, such as `approvals`."""
    if not isinstance(getattr(Stepward, name), property) or name == "url":
        return None
    return getattr(Stepward("http://127.0.0.1:1", ""), name)
