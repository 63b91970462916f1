"""Files of agents are checked before they are registered, without a server and with one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

WELL = """\
id: desk
name: Desk
version: 1.0.0
model: balanced
system_prompt: Help.
timeout: 30
dependencies: [other]
tools:
  - agent: researcher
    version: prod
  - workflow: refunds
  - tool: my_tools.count
  - tool: http_get
    config: {allow: ["https://shop.example"]}
team:
  - {agent: billing, as: handoff}
rehearsal:
  turns:
    - call: [{tool: count}]
    - say: "{% $input %}"
"""
BAD = """\
id: Desk
name: Desk
version: 1.0.0
llm_config: {model: balanced, max_tokens: none}
prompt: Help.
timeout: never
tols: []
team:
  - agent: BAD
tools:
  - tool: record_lokup
  - agent: researcher
rehearsal:
  turns:
    - say: "{% $input. %}"
"""


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepward.cli.connection.find_laptop", lambda: None)


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def places(entries: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(one["line"], one["column"], one["field"]) for one in entries]


@pytest.mark.usefixtures("no_server")
def test_all_that_is_wrong_is_told_where_the_file_says_it(run: Run) -> None:
    write("bad.yaml", BAD)
    seen = run("agents", "validate", "bad.yaml", "--json")
    assert seen.code == 1
    assert places(seen.json["problems"]) == [
        (1, 1, "id"),
        (4, 31, "limits.max_output_tokens"),
        (6, 1, "limits.timeout_s"),
        (7, 1, "tols"),
        (9, 5, "tools.2.config.agent"),
        (11, 5, "tools.0.tool"),
        (15, 7, "rehearsal.turns.0.say"),
    ]
    assert all(one["fix"] and one["detail"] and one["code"] for one in seen.json["problems"])
    lines = run("agents", "validate", "bad.yaml").out.splitlines()
    assert "bad.yaml:7:1: tols: there is no field 'tols' (did you mean 'tools'?)" in lines
    assert not any("nothing is wrong" in line for line in lines)


@pytest.mark.usefixtures("no_server")
def test_what_only_a_server_knows_is_a_warning(run: Run) -> None:
    write("well.yaml", WELL)
    seen = run("agents", "validate", "well.yaml", "--json")
    assert (seen.code, seen.json["problems"]) == (0, [])
    assert [(one["code"], one["name"], one["line"]) for one in seen.json["warnings"]] == [
        ("unchecked-agent", "other", 7),
        ("unchecked-agent", "researcher", 9),
        ("unchecked-workflow", "refunds", 11),
        ("unchecked-tool", "my_tools.count", 12),
        ("unchecked-host", "https://shop.example", 14),
        ("unchecked-handoff", "billing", 16),
    ]
    lines = run("agents", "validate", "well.yaml").out.splitlines()
    assert lines[0] == "well.yaml: nothing is wrong."
    assert all(line.endswith("[warning]") for line in lines[1:])


@pytest.mark.usefixtures("no_server")
def test_a_model_with_a_price_of_the_tenants_own_is_a_warning(run: Run) -> None:
    write("well.yaml", WELL.replace("balanced", "house-model"))
    told = run("agents", "validate", "well.yaml", "--json").json
    assert (told["problems"], told["warnings"][0]["code"]) == ([], "unchecked-model")


@pytest.mark.usefixtures("no_server")
def test_an_agent_that_asks_itself_is_refused(run: Run) -> None:
    write("well.yaml", WELL.replace("agent: researcher", "agent: desk"))
    (told,) = run("agents", "validate", "well.yaml", "--json").json["problems"]
    assert (told["field"], told["line"]) == ("tools.0.config.agent", 9)
    assert "desk → desk" in told["detail"]


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("as: handoff}", "as: handoff, nme: x}", (16, 35, "team.0.nme")),
        ("model: balanced", "llm_config: {modle: balanced}", (4, 14, "llm_config.modle")),
        ("timeout: 30", "timeout: 30\nlimits: {timeout_s: 20}", (6, 1, "timeout")),
    ],
)
def test_a_name_that_cannot_be_spelt_out_hides_nothing_else(
    run: Run, before: str, after: str, place: tuple[int, int, str]
) -> None:
    write("bad.yaml", WELL.replace(before, after) + "tols: []\n")
    found = places(run("agents", "validate", "bad.yaml", "--json").json["problems"])
    assert found[0] == place
    assert [field for _, _, field in found] == [place[2], "tols"]


@pytest.mark.usefixtures("no_server")
def test_each_file_has_its_lines_and_one_wrong_file_fails_all(run: Run) -> None:
    write("a.yaml", "id: [\n")
    write("b.json", '{"id": "b", "id": "c"}')
    write("c.yaml", WELL)
    seen = run("agents", "validate", "a.yaml", "b.json", "c.yaml")
    assert seen.code == 1
    lines = seen.out.splitlines()
    assert lines[0].startswith("a.yaml:2:1: it cannot be read as YAML")
    assert lines[1].startswith("b.json:1:13: the key 'id' appears in line 1 already")
    assert lines[2] == "c.yaml: nothing is wrong."


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("name", ["none.yaml", "folder.yaml", "desk.txt", "bytes.yaml"])
def test_a_file_that_cannot_be_read_is_wrong_usage(run: Run, name: str) -> None:
    Path("folder.yaml").mkdir()
    write("desk.txt", WELL)
    Path("bytes.yaml").write_bytes(b"id: \xff\xfe\n")
    write("well.yaml", WELL)
    seen = run("agents", "validate", "well.yaml", name)
    assert (seen.code, name in seen.err) == (2, True)


@pytest.mark.usefixtures("no_server")
def test_a_missing_extra_is_named_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("well.yaml", WELL)
    monkeypatch.delitem(sys.modules, "stepward.cli.offline", raising=False)
    monkeypatch.setitem(sys.modules, "jsonata", None)
    for words in (("agents", "validate", "well.yaml"), ("agents", "schema")):
        seen = run(*words)
        assert seen.code == 2
        assert "needs the extra `platform`: jsonata is missing" in " ".join(seen.err.split())


def answering(known: dict[str, Any]) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        return ok(known[path]) if path in known else problem(404, "NotFound")

    return answer


READY = {"state": "READY"}
KNOWN = {
    "/agents/other": READY,
    "/agents/researcher": READY,
    "/agents/billing": READY,
    "/workflows/refunds": {},
    "/tools/my_tools.count": {},
}


def test_a_server_is_asked_for_what_a_file_names(run: Run, stage: Callable[..., FakeApi]) -> None:
    write("well.yaml", WELL)
    api = stage(answering(KNOWN))
    seen = run("agents", "validate", "well.yaml", "--json")
    assert (seen.code, seen.json["problems"]) == (0, [])
    assert [one["code"] for one in seen.json["warnings"]] == ["unchecked-host"]
    assert "GET /agents/researcher?version=prod" in api.targets
    assert {one.method for one in api.requests} == {"GET"}


def test_what_a_server_does_not_know_is_wrong_unless_it_may_come_later(
    run: Run, stage: Callable[..., FakeApi]
) -> None:
    write("well.yaml", WELL)
    stage(answering({"/agents/other": {"state": "VALIDATING"}}))
    told = run("agents", "validate", "well.yaml", "--json")
    assert told.code == 1
    assert [(one["code"], one["line"]) for one in told.json["problems"]] == [
        ("unknown-agent", 7),
        ("unknown-agent", 9),
        ("unknown-tool", 12),
    ]
    assert "VALIDATING" in told.json["problems"][0]["detail"]
    kept = {"unknown-workflow", "unchecked-host", "unknown-handoff"}
    assert {one["code"] for one in told.json["warnings"]} == kept


@pytest.mark.parametrize(("price", "code"), [("house-model", 0), ("another", 1)])
def test_a_price_that_the_tenant_agreed_on_is_looked_up(
    run: Run, stage: Callable[..., FakeApi], price: str, code: int
) -> None:
    write("well.yaml", WELL.replace("balanced", "house-model"))
    stage(answering({**KNOWN, "/prices": {"prices": [{"model": price}]}}))
    assert run("agents", "validate", "well.yaml").code == code


def test_a_server_that_refuses_is_told_as_ever(run: Run, stage: Callable[..., FakeApi]) -> None:
    write("well.yaml", WELL)
    stage(problem(401, "Unauthorized", "No such key."))
    assert run("agents", "validate", "well.yaml").code == 3


def test_a_schema_beside_the_files_is_not_taken_for_an_agent(run: Run, stage: Callable[..., FakeApi]) -> None:
    write("desk.yaml", WELL)
    write("agent.schema.json", run("agents", "schema").out)
    api = stage(ok({"id": "desk", "version": "1.0.0"}, 201))
    assert run("agents", "import", ".").code == 0
    assert api.targets == ["POST /agents"]


def test_a_misspelt_model_is_the_only_thing_that_is_said_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepward.cli.agent_checks.find_target", lambda *_: None)
    agent = "id: a1\nname: A\nversion: 1.0.0\nmodel: claude-hayku\neffort: low\nprompt: Hello.\n"
    Path("a.yaml").write_text(agent)
    seen = run("agents", "validate", "a.yaml", "--json")
    (only,) = seen.json["problems"]
    assert (seen.code, only["field"], only["line"], seen.json["warnings"]) == (1, "model", 4, [])
    assert only["fix"].startswith("did you mean 'claude-haiku-5-5'?")
    Path("b.yaml").write_text(f"{agent}rehearsal: {{turns: [{{say: hello}}]}}\n")
    seen = run("agents", "validate", "b.yaml", "--json")
    assert (seen.code, seen.json["problems"]) == (0, [])
    assert [one["code"] for one in seen.json["warnings"]] == ["unchecked-model"]


PROMPTED = "id: desk\nname: Desk\nversion: 1.0.0\nmodel: balanced\nprompt: voice@prod\n"


@pytest.mark.usefixtures("no_server")
def test_a_prompt_of_the_registry_is_a_warning_where_no_server_is_known(run: Run) -> None:
    write("prompted.yaml", PROMPTED)
    seen = run("agents", "validate", "prompted.yaml", "--json")
    assert [(one["code"], one["line"]) for one in seen.json["warnings"]] == [("unchecked-prompt", 5)]


@pytest.mark.parametrize(("known", "code"), [({"/prompts/voice": {}}, 0), ({}, 1)])
def test_a_prompt_of_the_registry_is_looked_up(
    run: Run, stage: Callable[..., FakeApi], known: dict[str, Any], code: int
) -> None:
    write("prompted.yaml", PROMPTED)
    api = stage(answering(known))
    seen = run("agents", "validate", "prompted.yaml", "--json")
    assert (seen.code, [one["code"] for one in seen.json["problems"]]) == (code, ["unknown-prompt"] * code)
    assert api.targets == ["GET /prompts/voice?version=prod"]
