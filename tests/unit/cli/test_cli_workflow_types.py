"""`stepward workflows types` tells what the stage's own schema says of tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflows.documents import json_schema
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok

Stage = Callable[..., FakeApi]


def test_every_type_is_listed_with_what_it_does_and_its_own_fields(run: Run, stage: Stage) -> None:
    api = stage(ok(json_schema()))
    seen = run("workflow", "types")
    assert seen.code == 0
    lines = {line.split()[0]: line for line in seen.out.splitlines()}
    for kind in CATALOG:
        assert find_type(kind).purpose in lines[kind]
        assert set(find_type(kind).settings.model_fields) <= set(
            lines[kind].replace("*", "").replace(",", "").split()
        )
    assert "until*, max_iterations*" in lines["loop"]
    assert "timeout_s" not in lines["human"]
    assert api.targets == ["GET /workflows/schema"]


def test_one_type_is_told_with_all_that_its_tasks_may_say(run: Run, stage: Stage) -> None:
    stage(ok(json_schema()))
    lines = [" ".join(line.split()) for line in run("workflow", "types", "foreach").out.splitlines()]
    assert lines[0] == find_type("foreach").purpose
    assert "max_parallel integer 10 How many items run at once at most." in lines
    assert "items* anything The items: a list, or an expression that gives one." in lines
    assert any(line.startswith("needs string or array The tasks that must have ended") for line in lines)
    assert not any(line.startswith("depends_on ") for line in lines)


def test_the_same_comes_as_json(run: Run, stage: Stage) -> None:
    stage(ok(json_schema()))
    told = run("workflow", "types", "--json").json["types"]
    assert [one["type"] for one in told] == list(CATALOG)
    on_deny = next(field for one in told for field in one["fields"] if field["name"] == "on_deny")
    assert (on_deny["takes"], on_deny["default"], on_deny["own"]) == ("fail or continue", "fail", True)


@pytest.mark.parametrize(("name", "fix"), [("humen", "Did you mean 'human'?"), ("xyz", "Use one of agent, ")])
def test_a_type_that_is_none_is_answered_with_those_that_are(
    run: Run, stage: Stage, name: str, fix: str
) -> None:
    stage(ok(json_schema()))
    seen = run("workflow", "types", name)
    assert seen.code == 2
    assert fix in seen.err
