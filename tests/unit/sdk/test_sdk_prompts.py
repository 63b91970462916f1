"""Prompts, asked for through the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepward.sdk import BadCall, Stepward
from tests.unit.sdk.fake_api import FakeApi, ok

ARMS = [{"version": "1.0.0", "weight": 9}, {"version": "1.1.0", "weight": 1}]


@pytest.mark.parametrize(
    ("call", "target", "body"),
    [
        (lambda s: s.prompts.register({"id": "a"}), "POST /prompts", {"id": "a"}),
        (lambda s: s.prompts.list(limit=3, cursor="c"), "GET /prompts?limit=3&cursor=c", None),
        (lambda s: s.prompts.get("a/b"), "GET /prompts/a%2Fb", None),
        (lambda s: s.prompts.get("a", version="prod"), "GET /prompts/a?version=prod", None),
        (lambda s: s.prompts.versions("a", limit=3), "GET /prompts/a/versions?limit=3", None),
        (lambda s: s.prompts.diff("a", "1.0.0"), "GET /prompts/a/diff?from=1.0.0", None),
        (lambda s: s.prompts.diff("a", "1.0.0", "prod"), "GET /prompts/a/diff?from=1.0.0&to=prod", None),
        (lambda s: s.prompts.render("a"), "POST /prompts/a/render", {"variables": {}}),
        (
            lambda s: s.prompts.render("a", {"b": 1}, version="prod", key="k"),
            "POST /prompts/a/render",
            {"variables": {"b": 1}, "version": "prod", "key": "k"},
        ),
        (lambda s: s.prompts.arms("a"), "GET /prompts/a/arms", None),
        (lambda s: s.prompts.arms("a", label="prod"), "GET /prompts/a/arms?label=prod", None),
        (lambda s: s.prompts.labels("a"), "GET /prompts/a/labels", None),
        (
            lambda s: s.prompts.set_label("a", "prod", "1.0.0"),
            "PUT /prompts/a/labels/prod",
            {"version": "1.0.0"},
        ),
        (lambda s: s.prompts.set_label("a", "prod", arms=ARMS), "PUT /prompts/a/labels/prod", {"arms": ARMS}),
        (lambda s: s.prompts.roll_back("a", "prod"), "POST /prompts/a/labels/prod/rollback", {}),
        (
            lambda s: s.prompts.roll_back("a", "prod", rev=3),
            "POST /prompts/a/labels/prod/rollback",
            {"rev": 3},
        ),
        (lambda s: s.prompts.remove_label("a", "prod"), "DELETE /prompts/a/labels/prod", None),
    ],
)
def test_a_method_asks_for_its_route(call: Callable[[Stepward], Any], target: str, body: Any) -> None:
    api = FakeApi([ok({"anything": 1})])
    assert call(api.client()) in ({"anything": 1}, None)
    assert api.targets == [target]
    if body is not None:
        assert api.body() == body


@pytest.mark.parametrize("said", [{}, {"version": "1.0.0", "arms": ARMS}])
def test_a_label_takes_a_version_or_arms(said: dict[str, Any]) -> None:
    api = FakeApi([])
    with pytest.raises(BadCall):
        api.client().prompts.set_label("a", "prod", **said)
    assert api.targets == []
