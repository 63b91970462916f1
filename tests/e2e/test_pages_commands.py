"""The commands of the pages, typed from top to bottom on the whole cloud, in one folder with the files that they show."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.local.laptop import Laptop
from infra.local.library import load_support
from stepward.cli.main import invoke
from tests.local.patience import wait_for
from tests.support.docs_pages import page, written

pytestmark = pytest.mark.laptop

APART = ("models.md", "fake-provider.md")  # they start servers, and have tests of their own
PAGES = [text for name, text in written().items() if name not in APART and not name.startswith("tutorials/")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED_FILE = re.compile(r"Write\s+`([\w-]+\.yaml)`:\s*\Z")
NOT_TYPED = ("stepward up", "stepward bench", "stepward demo")
SAYS = {
    "stepward run order-desk": "Your e-reader is delivered.",
    "stepward runs ls": "order-desk 1.0.0",
    "stepward triggers try inbox": "order-desk 1.0.0",
    "stepward triggers fire inbox": "run_",
    "stepward data ls inbox/": "inbox/1.json",
    "stepward agents validate": "nothing is wrong",
    "stepward workflows validate": "nothing is wrong",
    "stepward workflows run billing.yaml": "119",
    "stepward workflows runs": "billing-flow",
    "stepward workflows rm": "is gone",
    "stepward init --list": "refund-approval",
    "stepward budgets ls": "order-desk",
    "stepward agents estimate": "most",
    "stepward costs": "together",
    "stepward prices": "claude",
    "stepward models": "claude",
}
"""What the answer to a command shows, where that is worth more than its exit code."""


@dataclass
class Terminal:
    """A folder in which somebody types, and what was seen."""

    capsys: pytest.CaptureFixture[str]
    typed: dict[str, str] = field(default_factory=dict)

    def type(self, line: str) -> None:
        """Type one line; a redirection is done as a shell would."""
        command, _, target = line.partition(" > ")
        words = shlex.split(command)
        if words[0] == "echo":
            out = " ".join(words[1:]) + "\n"
        else:
            self.capsys.readouterr()
            code = invoke([*words[1:], *(["--yes"] if "rm" in words else [])])
            out, err = self.capsys.readouterr()
            assert code == 0, f"{line}\n{out}{err}"
        if target:
            Path(target).write_text(out, encoding="utf-8")
        self.typed[line] = out


@pytest.fixture
def terminal(
    laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPWARD_URL", laptop.url)
    monkeypatch.setenv("STEPWARD_API_KEY", laptop.api_key)
    load_support(laptop)
    yield Terminal(capsys)
    for command in ("budgets rm day", "budgets rm agent --agent order-desk", "triggers rm inbox"):
        invoke([*command.split(), "--yes"])


def test_the_commands_of_the_pages_work_from_top_to_bottom(terminal: Terminal) -> None:
    for text in PAGES:
        follow(terminal, text)
    assert len(terminal.typed) > 25
    for begins, shows in SAYS.items():
        exact = [terminal.typed[begins]] if begins in terminal.typed else []
        seen = exact or [out for line, out in terminal.typed.items() if line.startswith(begins)]
        assert seen, begins
        assert all(shows in out for out in seen), (begins, seen)


def test_the_tutorial_about_agents_says_what_is_seen(terminal: Terminal) -> None:
    follow(terminal, page("tutorials/agent.md"))
    runs = [out for line, out in terminal.typed.items() if line.startswith("stepward run ")]
    assert "You bought: " in runs[0]
    assert "There is no order SO-00000." in runs[1]


def test_the_tutorial_about_approvals_ends_as_it_says(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    follow(terminal, page("tutorials/approval.md"))
    small, large = [out for line, out in terminal.typed.items() if line.startswith("stepward workflows run ")]
    assert "COMPLETED" in small
    run = re.findall(r"run_\w+", large)[0]
    approval = wait_for(lambda: next((one for one in asked(capsys) if one.startswith(run)), None))
    terminal.type(f"stepward approvals approve {approval} --comment 'as agreed'")
    show = f"stepward workflows show-run {run}"
    wait_for(lambda: (terminal.type(show) or "RUNNING" not in terminal.typed[show]) or None)
    assert "COMPLETED" in terminal.typed[show]


def asked(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Name the open approvals."""
    capsys.readouterr()
    assert invoke(["approvals", "ls", "--json"]) == 0
    return [one["id"] for one in json.loads(capsys.readouterr().out)["approvals"]]


def follow(terminal: Terminal, text: str) -> None:
    """Do what a page says: write its files, type its commands."""
    for block in BLOCK.finditer(text):
        language, shown = block.groups()
        if language == "yaml" and (named := NAMED_FILE.search(text[: block.start()])):
            Path(named[1]).write_text(shown, encoding="utf-8")
        elif not language:
            for line in map(_without_comment, shown.splitlines()):
                if _is_typed(line):
                    terminal.type(line)


@pytest.mark.parametrize("template", ["batch", "example-a-e"])
def test_a_template_runs_as_init_says(terminal: Terminal, template: str) -> None:
    terminal.type(f"stepward init --template {template} --json")
    (said,) = terminal.typed.values()
    for step in json.loads(said)["next"]:
        terminal.type(step)
    assert "COMPLETED" in terminal.typed[step]


def _without_comment(line: str) -> str:
    return re.sub(r"\s+#.*$", "", line)


def _is_typed(line: str) -> bool:
    """A line with `…` shows a form, not a command; what starts a cloud of its own has tests of its own."""
    return line.startswith(("stepward ", "echo ")) and "…" not in line and not line.startswith(NOT_TYPED)
