"""Workflows from the command line and from Python, on the real machine: what a person types is what happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.laptop import Laptop
from stepward.cli.main import invoke
from stepward.sdk import DocumentRefused, Flow, Stepward, jsonata

pytestmark = pytest.mark.laptop

BILLING = """\
id: typed-flow
name: Typed
version: 1.0.0
tasks:
  - id: total
    type: transform
    output: "{% $input.price * $input.count %}"
  - id: exact
    type: tool
    tool: calculate
    needs: [total]
    with: { expression: "{% $string($tasks.total) & ' * 1.19' %}" }
"""
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(
    laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPWARD_URL", laptop.url)
    monkeypatch.setenv("STEPWARD_API_KEY", laptop.api_key)

    def go(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke(["workflow", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


@pytest.fixture
def stepward(laptop: Laptop) -> Iterator[Stepward]:
    with Stepward(laptop.url, laptop.api_key) as client:
        yield client


def parsed(seen: tuple[int, str, str]) -> Any:
    assert seen[0] == 0, seen
    return json.loads(seen[1])


def listed_workflows(cli: Cli) -> list[str]:
    """Read `workflow ls` to its end: other tests' workflows fill its first page."""
    listed, more = [], ["ls", "--json"]
    while True:
        page = parsed(cli(*more))
        listed += [workflow["id"] for workflow in page["workflows"]]
        if not page.get("next_cursor"):
            return listed
        more = ["ls", "--json", "--cursor", page["next_cursor"]]


def test_a_file_is_checked_planned_run_shown_compared_and_removed(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "billing.yaml"
    file.write_text(BILLING)
    assert cli("validate", "billing.yaml")[:2] == (0, "billing.yaml: nothing is wrong.\n")
    assert parsed(cli("plan", "billing.yaml", "--json"))["plan"]["states"]["most"] == 3
    assert parsed(cli("compile", "billing.yaml"))["StartAt"] == "total"

    code, out, err = cli("run", "billing.yaml", "--input", '{"price": 20, "count": 5}')
    assert code == 0, out + err
    assert [line.split()[1] for line in out.splitlines() if line.startswith("  ←")] == ["total", "exact"]
    assert '"119.00"' in out
    assert "2 completed" in out

    (listed,) = parsed(cli("runs", "typed-flow", "--json"))["runs"]
    assert listed["status"] == "COMPLETED"
    assert "119.00" in cli("show-run", listed["id"])[1]
    assert "typed-flow" in listed_workflows(cli)
    assert "tool: calculate" in cli("show", "typed-flow")[1]

    file.write_text(BILLING.replace("1.0.0", "1.1.0").replace("id: exact", "id: more"))
    changed = cli("diff", "billing.yaml")[1]
    assert "  - exact" in changed
    assert "  + more" in changed
    assert cli("register", "billing.yaml")[0] == 0
    assert cli("graph", "typed-flow", "--as", "svg")[1].startswith("<svg ")
    assert "is gone" in cli("rm", "typed-flow", "1.1.0", "--yes")[1]
    assert parsed(cli("show", "typed-flow", "--json"))["versions"] == ["1.0.0"]


def test_what_is_wrong_with_a_file_is_told_at_its_place(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(BILLING.replace("[total]", "[totl]").replace("price *", "price * ("))
    code, out, _ = cli("validate", "wrong.yaml")
    assert code == 1
    assert [line.split(" ")[0] for line in out.splitlines()] == [
        "wrong.yaml:7:5:",
        "wrong.yaml:11:13:",
        "wrong.yaml:12:13:",
    ], out
    assert "did you mean 'total'?" in out
    assert cli("register", "wrong.yaml")[0] == 3


def test_a_run_that_fails_exits_1_and_says_why_and_can_be_run_again(cli: Cli, tmp_path: Path) -> None:
    text = BILLING.replace("typed-flow", "failing-flow").replace("' * 1.19'", "' * oh'")
    (tmp_path / "failing.yaml").write_text(text)
    code, out, _ = cli("run", "failing.yaml", "--input", '{"price": 20, "count": 5}')
    assert code == 1
    assert "← exact  FAILED" in out
    assert "FAILED  1 completed · 1 failed" in out
    failed = out.split()[0]
    code, out, _ = cli("rerun", failed, "--json")
    again = json.loads(out)
    assert (code, again["rerun_of"], again["status"]) == (1, failed, "FAILED")


def test_a_run_that_waits_is_cancelled(cli: Cli, tmp_path: Path) -> None:
    waits = (
        "id: waiting-flow\nname: Waits\nversion: 1.0.0\ntasks:\n  - {id: pause, type: wait, seconds: 3600}\n"
    )
    (tmp_path / "waits.yaml").write_text(waits)
    begun = parsed(cli("run", "waits.yaml", "--no-wait", "--json"))
    assert parsed(cli("cancel", begun["id"], "--json"))["status"] == "CANCELLED"
    assert "CANCELLED" in cli("show-run", begun["id"])[1]
    assert cli("cancel", begun["id"])[0] == 0


def test_a_flow_in_python_runs(stepward: Stepward) -> None:
    flow = Flow("python-flow", version="1.0.0")
    rate = flow.transform("rate", output=1.19)
    with flow.foreach("each", flow.input.prices, max_items=5) as each:
        gross = flow.tool(
            "gross", "calculate", expression=jsonata(f"$string({each.item}) & ' * ' & $string({rate.output})")
        )
        each.collect(gross.output.value)
    flow.transform("count", output=jsonata(f"$count({each.output})"))
    flow.returns({"gross": each.output, "count": jsonata("$tasks.count")})
    kept = stepward.workflows.register(flow)
    assert kept["status"] == "READY"
    begun = stepward.workflows.start(flow.document()["id"], {"prices": [1, 2]})
    ended = stepward.workflows.wait(begun["id"], timeout_s=60)
    assert (ended["status"], ended["output"]) == ("COMPLETED", {"gross": ["1.19", "2.38"], "count": 2})


def test_a_refused_flow_says_all_that_is_wrong(stepward: Stepward) -> None:
    flow = Flow("wrong-flow", version="1.0.0")
    flow.tool("one", "no_such_tool")
    flow.human("two", "Well?")
    with pytest.raises(DocumentRefused) as caught:
        stepward.workflows.register(flow)
    assert [(one.task, one.line) for one in caught.value.problems] == [("one", None), ("two", None)]
