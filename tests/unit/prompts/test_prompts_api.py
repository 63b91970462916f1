"""The routes of prompts, asked as the gateway asks them: what they answer, and what they refuse with which words."""

from __future__ import annotations

from typing import Any

import pytest

import functions.prompts_api.handler as function
from stepward.domain.prompt_records import ArmCount
from stepward.domain.prompts import MOST_METADATA, MOST_TEMPLATE_BYTES, MOST_VARIABLES
from tests.support.driver import World
from tests.support.memory_container import LambdaContext, request
from tests.support.prompts import a_prompt_body
from tests.support.prompts_api import Api


def test_a_version_is_registered_once(api: Api) -> None:
    status, kept = api.register()
    assert (status, kept["id"], kept["version"], kept["created_by"]) == (201, "support", "1.0.0", "tester")
    assert kept["prompt"] == a_prompt_body(variables={"customer": {}, "tone": {"default": "kind"}})
    assert api.register() == (200, kept)
    status, refused = api.register(template="Otherwise {{ customer }}.")
    assert (status, refused["code"], refused["field"]) == (409, "Conflict", "version")
    assert api("GET", "/prompts/support")[1]["prompt"]["template"] == a_prompt_body()["template"]


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"template": " \n"}, "template", "empty"),
        ({"template": "x" * (MOST_TEMPLATE_BYTES + 1)}, "template", "50,000"),
        ({"template": "ü" * (MOST_TEMPLATE_BYTES // 2 + 1)}, "template", "50,000"),
        ({"template": 3}, "template", "string"),
        ({"template": "{{ customer"}, "template", "line 1"),
        ({"template": "{{ customer.__class__ }}"}, "template", "attribute"),
        ({"template": "{{ custmer }}"}, "variables.custmer", "no variable"),
        ({"id": "No Good"}, "id", "match"),
        ({"version": "1.0"}, "version", "match"),
        ({"version": None}, "version", "string"),
        ({"contents": "x"}, "contents", "not permitted"),
        ({"variables": {"Bad-Name": {}}}, "variables.Bad-Name.[key]", "match"),
        ({"variables": {"_work": {}}}, "variables._work.[key]", "match"),
        ({"variables": {"customer": {"type": "text"}}}, "variables.customer.type", "string"),
        ({"variables": {"customer": {"type": "integer", "default": "3"}}}, "variables.customer.default", "not integer"),
        ({"variables": {"customer": {"type": "integer", "default": True}}}, "variables.customer.default", "not integer"),
        ({"variables": {f"v{n}": {} for n in range(MOST_VARIABLES + 1)}}, "variables", "at most"),
        ({"metadata": {"owner": 3}}, "metadata.owner", "string"),
        ({"metadata": {f"m{n}": "x" for n in range(MOST_METADATA + 1)}}, "metadata", "at most"),
        ({"variables": {"customer": {"default": "x" * 64_000}}}, "body", "64,000"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_definition_is_said_and_nothing_is_kept(
    api: Api, changed: dict[str, Any], field: str, said: str
) -> None:
    status, refused = api.register(**changed)
    assert (status, refused["code"], refused["field"]) == (400, "InvalidRequest", field)
    assert said in refused["detail"]
    assert refused["fix"]
    assert api("GET", "/prompts")[1] == {"prompts": [], "next_cursor": None}


def test_all_that_is_wrong_is_said_at_once(api: Api) -> None:
    variables = {"customer": {"type": "boolean", "default": 1}}
    refused = api.register(template="{{ a }}{{ b }}", variables=variables)[1]
    assert [one["field"] for one in refused["errors"]] == [
        "variables.customer.default",
        "variables.a",
        "variables.b",
    ]


def test_prompts_and_versions_are_listed(api: Api) -> None:
    for name, version in (("bb", "1.0.0"), ("aa", "1.9.0"), ("aa", "1.10.0")):
        api.register(id=name, version=version)
    page = api("GET", "/prompts", limit="1")[1]
    assert [(one["id"], one["version"]) for one in page["prompts"]] == [("aa", "1.10.0")]
    rest = api("GET", "/prompts", limit="1", cursor=page["next_cursor"])[1]
    assert ([one["id"] for one in rest["prompts"]], rest["next_cursor"]) == (["bb"], None)
    versions = api("GET", "/prompts/aa/versions")[1]
    assert [one["version"] for one in versions["versions"]] == ["1.10.0", "1.9.0"]


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/prompts/absent", {}, 404, "prompt_id"),
        ("/prompts/absent", {"version": "1.0.0"}, 404, "prompt_id"),
        ("/prompts/absent/versions", {}, 404, "prompt_id"),
        ("/prompts/absent/labels", {}, 404, "prompt_id"),
        ("/prompts/absent/diff", {"from": "1.0.0"}, 404, "prompt_id"),
        ("/prompts/Support", {}, 400, "prompt_id"),
        ("/prompts/support", {"version": "9.0.0"}, 404, "version"),
        ("/prompts/support", {"version": "prod"}, 404, "version"),
        ("/prompts/support", {"version": "v1"}, 404, "version"),
        ("/prompts/support", {"version": "1.0"}, 400, "version"),
        ("/prompts/support/diff", {}, 400, "from"),
        ("/prompts/support/diff", {"from": "1.0.0", "to": "2.0.0"}, 404, "version"),
        ("/prompts", {"limit": "0"}, 400, "limit"),
    ],
)
def test_what_is_not_there_is_named(
    api: Api, path: str, query: dict[str, str], status: int, field: str
) -> None:
    api.register()
    answered, refused = api("GET", path, **query)
    assert (answered, refused["field"]) == (status, field)
    assert refused["fix"]


def test_a_prompt_is_rendered_and_the_second_time_it_is_there(api: Api) -> None:
    api.register()
    body = {"variables": {"customer": "Ann"}}
    status, rendered = api("POST", "/prompts/support/render", body)
    assert (status, rendered["text"]) == (200, "You help Ann. Be kind.")
    assert (rendered["version"], rendered["label"], rendered["cached"]) == ("1.0.0", "latest", False)
    assert api("POST", "/prompts/support/render", {**body, "version": "1.0.0"})[1]["cached"]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "variables.customer", "needs the variable"),
        ({"variables": {"customer": 3}}, "variables.customer", "is string, not 3"),
        ({"variables": {"customer": "Ann", "tne": "x"}}, "variables.tne", "no variable 'tne'"),
        ({"variables": []}, "variables", "dictionary"),
        ({"varables": {}}, "varables", "not permitted"),
        ({"variables": {"customer": "Ann"}, "version": "1"}, "version", "match"),
        ({"variables": {"customer": "Ann"}, "key": ""}, "key", "at least 1"),
        ([], "body", "JSON object"),
    ],
)
def test_a_render_that_cannot_be_made(api: Api, body: Any, field: str, said: str) -> None:
    api.register()
    status, refused = api("POST", "/prompts/support/render", body)
    assert (status, refused["field"]) == (400, field)
    assert said in refused["detail"]
    assert refused["fix"]


def test_all_variables_that_are_wrong_are_named_at_once(api: Api) -> None:
    api.register(template="{{ a }}{{ b }}", variables={"a": {}, "b": {"type": "array"}})
    refused = api("POST", "/prompts/support/render", {"variables": {"b": "x", "c": 1}})[1]
    assert [one["field"] for one in refused["errors"]] == ["variables.c", "variables.a", "variables.b"]


def test_two_versions_are_compared(api: Api) -> None:
    api.register()
    variables = {"customer": {"type": "integer"}, "mood": {"default": "good"}}
    api.register(version="1.1.0", template="You help {{ customer }}.\n{{ mood }}", variables=variables)
    found = api("GET", "/prompts/support/diff", **{"from": "1.0.0"})[1]
    assert (found["from"], found["to"], found["is_newer"]) == ("1.0.0", "1.1.0", True)
    assert found["changed"] == ["template", "variables"]
    assert found["template"].splitlines()[2:] == [
        "@@ -1 +1,2 @@", "-You help {{ customer }}. Be {{ tone }}.", "+You help {{ customer }}.", "+{{ mood }}",
    ]  # fmt: skip
    assert found["variables"] == {"added": ["mood"], "removed": ["tone"], "changed": ["customer"]}
    same = api("GET", "/prompts/support/diff", **{"from": "latest", "to": "1.1.0"})[1]
    assert (same["changed"], same["template"], same["is_newer"]) == ([], "", False)


def test_what_runs_came_to_is_shown_with_averages(api: Api, world: World) -> None:
    api.register()
    assert api("GET", "/prompts/support/arms") == (200, {"id": "support", "arms": []})
    one = ArmCount(prompt="support", version="1.0.0", runs=1, completed=1, cost_usd_micros=10, active_ms=500)
    for label, completed in (("prod", 1), ("prod", 0), ("", 1)):
        world.runtime.prompt_counts.add(
            "acme", one.model_copy(update={"label": label, "completed": completed})
        )
    arms = api("GET", "/prompts/support/arms")[1]["arms"]
    assert [(arm["label"], arm["runs"], arm["success_rate"]) for arm in arms] == [
        (None, 1, 1.0),
        ("prod", 2, 0.5),
    ]
    (arm,) = api("GET", "/prompts/support/arms", label="prod")[1]["arms"]
    assert (arm["cost_usd_micros"], arm["average_cost_usd_micros"], arm["average_active_ms"]) == (20, 10, 500)
    assert api("GET", "/prompts/support/arms", label="No")[0] == 400
    assert api("GET", "/prompts/absent/arms")[0] == 404


def test_another_tenant_sees_none_of_it(api: Api) -> None:
    api.register()
    event = request("GET", "/prompts/support")
    event["requestContext"]["authorizer"]["lambda"]["tenant"] = "other"
    assert function.handle(event, LambdaContext())["statusCode"] == 404
