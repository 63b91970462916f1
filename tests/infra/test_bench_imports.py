"""`bench imports` on the one function that calls models; all of them take minutes."""

from __future__ import annotations

import pytest

from infra.local.bench import imports

FUNCTION = "agent_advance"


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, object]]:
    measured: dict[str, dict[str, object]] = imports.measure(times=1, only=[FUNCTION])
    return measured


def test_each_function_is_shown_beside_what_everybody_knows(figures: dict[str, dict[str, float]]) -> None:
    assert set(figures["beside"]) == {"boto3_with_one_client", "pydantic", "logger"}
    assert all(cpu_ms > 0 for cpu_ms in figures["beside"].values())


def test_the_function_that_packs_models_sdks_loads_none_of_them(
    figures: dict[str, dict[str, dict[str, object]]],
) -> None:
    (one,) = figures["functions"].values()
    assert one["model_sdks"] == []
    assert int(str(one["modules"])) > 100
    # Both vendors' SDKs alone take more than this.
    assert int(str(one["package_bytes"])) > 30_000_000


def test_a_function_that_loads_a_models_sdk_fails_the_bench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"modules": 1, "cpu_ms": 1.0, "package_bytes": 1, "model_sdks": ["openai"]}
    monkeypatch.setattr(imports, "measure", lambda times: {"beside": {}, "functions": {"health": one}})
    assert imports.imports(as_json=True, times=1) == 1
    assert imports.imports(as_json=False, times=1) == 1
    assert "openai" in capsys.readouterr().out
