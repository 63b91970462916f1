"""`stepward fake-llm`: what it refuses; that it serves is shown where sockets are open."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepward.cli.main import invoke


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        ("- text: Hello.\n  thikning: x\n", [], "0.thikning: Extra inputs are not permitted"),
        ("- fault: nonsense\n", [], "'nonsense' is no fault; use one of: 400, 401"),
        ("- {text: a, repeat: true}\n- b\n", [], "only the last reply may `repeat`"),
        ("{}\n", [], "a script is a list of replies"),
        ("- [\n", [], "script.yaml"),
        ("- a\n", ["--fault", "nonsense"], "'nonsense' is no fault"),
        ("- a\n", ["--fault", "429:no"], "after the colon comes a number of requests"),
        ("- a\n", ["--rehearsal", "script.yaml"], "exclude each other"),
    ],
)
def test_what_it_cannot_use_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: str,
    words: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text(script)
    assert invoke(["fake-llm", "--script", "script.yaml", *words]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("id: abc\nname: A\nversion: 1.0.0\nmodel: fast\nprompt: Hi.\n", "has no `rehearsal`"),
        ("id: abc\n", "it is no agent: name: Field required"),
    ],
)
def test_an_agent_without_a_rehearsal_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], agent: str, told: str
) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(agent)
    assert invoke(["fake-llm", "--rehearsal", str(file)]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
