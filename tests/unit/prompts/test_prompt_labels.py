"""Labels of prompts, asked for by their routes: pointed, shared by weights, rolled back and removed."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.prompt_records import MOST_EARLIER
from stepward.domain.prompts import MOST_ARMS
from stepward.prompts.labels import MOST_LABELS
from tests.support.prompts_api import Api


def test_a_label_points_and_is_shown(api: Api) -> None:
    api.register()
    api.register(version="1.1.0", template="New.")
    status, label = api.point("prod", "1.0.0")
    assert (status, label["version"], label["rev"], label["can_roll_back"]) == (200, "1.0.0", 1, False)
    assert api("GET", "/prompts/support", version="prod")[1]["label"] == label
    assert [one["label"] for one in api("GET", "/prompts/support/labels")[1]["labels"]] == ["latest", "prod"]
    assert api.point("prod", "1.0.0")[1] == label
    assert api("DELETE", "/prompts/support/labels/prod") == (200, {"id": "support", "label": "prod"})
    assert api("DELETE", "/prompts/support/labels/prod")[0] == 404


def test_a_label_is_rolled_back_step_by_step(api: Api) -> None:
    for n in range(4):
        api.register(version=f"1.{n}.0")
        api.point("prod", f"1.{n}.0")
    assert [api.roll_back("prod")[1]["version"] for _ in range(3)] == ["1.2.0", "1.1.0", "1.0.0"]
    status, refused = api.roll_back("prod")
    assert (status, refused["code"], refused["field"]) == (409, "Conflict", "label")
    assert api("GET", "/prompts/support", version="prod")[1]["version"] == "1.0.0"


def test_a_rollback_of_a_revision_is_made_once(api: Api) -> None:
    for n in range(3):
        api.register(version=f"1.{n}.0")
        api.point("prod", f"1.{n}.0")
    assert api.roll_back("prod", {"rev": 3})[1]["version"] == "1.1.0"
    status, refused = api.roll_back("prod", {"rev": 3})
    assert (status, refused["field"], "at revision 4" in refused["detail"]) == (409, "rev", True)


def test_what_a_label_pointed_to_before_is_kept_for_some_steps(api: Api) -> None:
    for n in range(MOST_EARLIER + 3):
        api.register(version=f"1.{n}.0")
        api.point("prod", f"1.{n}.0")
    steps = 0
    while api.roll_back("prod")[0] == 200:
        steps += 1
    assert steps == MOST_EARLIER


@pytest.mark.parametrize(
    ("label", "body", "status", "field"),
    [
        ("latest", {"version": "1.0.0"}, 400, "label"),
        ("1.0.0", {"version": "1.0.0"}, 400, "label"),
        ("Prod", {"version": "1.0.0"}, 400, "label"),
        ("prod", {"version": "2.0.0"}, 404, "version"),
        ("prod", {"version": "latest"}, 400, "version"),
        ("prod", {}, 400, "body"),
        ("prod", {"version": "1.0.0", "arms": [{"version": "1.0.0"}]}, 400, "body"),
        ("prod", {"arms": []}, 400, "body"),
        ("prod", {"arms": [{"version": "1.0.0", "weight": 0}]}, 400, "arms.0.weight"),
        ("prod", {"arms": [{"version": "1.0.0", "weight": 1.5}]}, 400, "arms.0.weight"),
        ("prod", {"arms": [{"version": "1.0.0"}, {"version": "1.0.0"}]}, 400, "body"),
        ("prod", {"arms": [{"version": f"1.{n}.0"} for n in range(MOST_ARMS + 1)]}, 400, "arms"),
        ("prod", {"arms": [{"version": "1.0.0"}, {"version": "3.0.0"}]}, 404, "version"),
    ],
)
def test_a_label_that_cannot_be_set_is_left_as_it_is(
    api: Api, label: str, body: Any, status: int, field: str
) -> None:
    api.register()
    before = api("GET", "/prompts/support/labels")
    answered, refused = api("PUT", f"/prompts/support/labels/{label}", body)
    assert (answered, refused["field"]) == (status, field)
    assert refused["fix"]
    assert api("GET", "/prompts/support/labels") == before


@pytest.mark.parametrize(("label", "status"), [("latest", 400), ("prod", 404)])
def test_what_cannot_be_rolled_back(api: Api, label: str, status: int) -> None:
    api.register()
    assert api.roll_back(label)[0] == status
    assert api("POST", f"/prompts/absent/labels/{label}/rollback")[0] == status


def test_a_prompt_has_so_many_labels_and_no_more(api: Api) -> None:
    api.register()
    for n in range(MOST_LABELS):
        assert api.point(f"label-{n}", "1.0.0")[0] == 200
    assert api.point("one-more", "1.0.0")[0] == 409
    api.register(version="1.1.0")
    assert api.point("label-0", "1.1.0")[0] == 200


def test_a_weighted_label_is_shown_by_its_heaviest_and_rendered_by_its_key(api: Api) -> None:
    api.register(template="Old.", variables={})
    api.register(version="1.1.0", template="New.", variables={})
    arms = [{"version": "1.0.0", "weight": 1}, {"version": "1.1.0", "weight": 3}]
    label = api("PUT", "/prompts/support/labels/prod", {"arms": arms})[1]
    assert (label["version"], label["arms"]) == (None, arms)
    assert api("GET", "/prompts/support", version="prod")[1]["version"] == "1.1.0"
    render = {"version": "prod"}
    assert api("POST", "/prompts/support/render", render)[1]["text"] == "New."
    seen = [api("POST", "/prompts/support/render", {**render, "key": f"k{n}"})[1]["text"] for n in range(40)]
    assert set(seen) == {"Old.", "New."}
    assert seen == [
        api("POST", "/prompts/support/render", {**render, "key": f"k{n}"})[1]["text"] for n in range(40)
    ]
