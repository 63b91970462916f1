"""What happens to agents after their registration, asked for through the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepward.sdk import Stepward
from tests.unit.sdk.fake_api import FakeApi, ok


@pytest.mark.parametrize(
    ("call", "target", "body"),
    [
        (lambda s: s.lifecycle.labels("a"), "GET /agents/a/labels", None),
        (
            lambda s: s.lifecycle.set_label("a", "prod", "1.0.0"),
            "PUT /agents/a/labels/prod",
            {"version": "1.0.0"},
        ),
        (lambda s: s.lifecycle.remove_label("a", "prod"), "DELETE /agents/a/labels/prod", None),
        (lambda s: s.lifecycle.move("a", "READY"), "POST /agents/a/transitions", {"to": "READY"}),
        (lambda s: s.lifecycle.end("a/b"), "DELETE /agents/a%2Fb", None),
        (
            lambda s: s.agents(
                capability="API_INTEGRATION", module="m", category="c d", tag="t", state="READY"
            ),
            "GET /agents?capability=API_INTEGRATION&module=m&category=c+d&tag=t&state=READY",
            None,
        ),
    ],
)
def test_a_method_asks_for_its_route(call: Callable[[Stepward], Any], target: str, body: Any) -> None:
    api = FakeApi([ok({"anything": 1})])
    assert call(api.client()) in ({"anything": 1}, None)
    assert [one.replace("%20", "+") for one in api.targets] == [target]
    if body is not None:
        assert api.body() == body
