"""`bench imports` on the one function that calls models; all of them take minutes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from infra.local.__main__ import parser
from infra.local.bench import imports
from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT

FUNCTION = "agent_advance"


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, object]]:
    measured: dict[str, dict[str, object]] = imports.measure(times=1, only=[FUNCTION])
    return measured


def test_each_function_is_shown_beside_what_everybody_knows(figures: dict[str, dict[str, float]]) -> None:
    assert set(figures["beside"]) == {"boto3_with_one_client", "pydantic", "logger", "together"}
    assert all(cpu_ms > 0 for cpu_ms in figures["beside"].values())


def test_a_ratio_is_taken_to_all_of_them_in_one_interpreter(
    figures: dict[str, dict[str, dict[str, float]]],
) -> None:
    (one,) = figures["functions"].values()
    together_ms = float(str(figures["beside"]["together"]))
    assert one["ratio"] == round(one["cpu_ms"] / together_ms, 2)


def test_the_function_that_packs_models_sdks_loads_none_of_them(
    figures: dict[str, dict[str, dict[str, object]]],
) -> None:
    (one,) = figures["functions"].values()
    assert one["model_sdks"] == []
    assert int(str(one["modules"])) > 100
    # Both vendors' SDKs alone take more than this.
    assert 30_000_000 < int(str(one["package_bytes"])) < 45_000_000, "without what no client reads"


def test_a_function_that_loads_a_models_sdk_fails_the_bench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"modules": 1, "cpu_ms": 1.0, "ratio": 0.5, "package_bytes": 1, "model_sdks": ["openai"]}
    pretend_to_measure(monkeypatch, {"health": one})
    assert imports.imports(as_json=True, times=1) == 1
    assert imports.imports(as_json=False, times=1) == 1
    assert "openai" in capsys.readouterr().out


def test_a_function_above_the_ratio_fails_the_bench_where_one_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one: dict[str, object] = {"modules": 1, "cpu_ms": 1.0, "package_bytes": 1, "model_sdks": []}
    pretend_to_measure(monkeypatch, {"slow": {**one, "ratio": 1.16}, "quick": {**one, "ratio": 1.15}})
    assert imports.imports(as_json=True, times=1) == 0
    assert json.loads(capsys.readouterr().out)["over"] == []
    assert imports.imports(as_json=True, times=1, at_most=1.15) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["over"] == ["slow"]
    assert said.err == "slow takes 1.16 times what it is compared with; at most 1.15\n"


def test_a_function_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        LaptopError, match=r"--function runs-api: there is no such function; known: .*runs_api"
    ):
        imports.measure(times=1, only=["runs-api"])


@pytest.mark.parametrize(
    "words", [["--times", "0"], ["--times", "x"], ["--at-most", "0"], ["--at-most", "nan"]], ids=" ".join
)
def test_a_figure_that_says_nothing_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["bench", "imports", *words])
    assert f"argument {words[0]}: {words[1]} is no " in capsys.readouterr().err


def pretend_to_measure(monkeypatch: pytest.MonkeyPatch, functions: dict[str, dict[str, object]]) -> None:
    monkeypatch.setattr(
        imports, "measure", lambda times, only: {"beside": {"together": 2.0}, "functions": functions}
    )


BUILT = """
import importlib, sys
sys.path[:0] = sys.argv[1:2]
for name in sys.argv[2:]:
    importlib.import_module(name)
from pydantic import BaseModel

def below(model):
    for one in model.__subclasses__():
        yield one
        yield from below(one)

ours = [model for model in below(BaseModel) if model.__module__.startswith("stepward.")]
print(len(ours), sum(model.__pydantic_complete__ for model in ours))
"""


def test_models_are_built_when_they_are_first_used() -> None:
    modules = ["stepward.domain.journal", "stepward.domain.workflows", "stepward.ports.registry"]
    command = [sys.executable, "-c", BUILT, str(ROOT / "shared"), *modules]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    models, built = map(int, done.stdout.split())
    # Defaults that are instances of a model build it.
    assert models > 40
    assert built <= 12
