"""Which model the demo asks, and what it says when it cannot."""

from __future__ import annotations

import socket

import pytest

from infra.local import stopping
from infra.local.demo_model import chosen
from infra.local.faults import UnusableOption


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_without_a_model_the_rehearsal_answers() -> None:
    assert chosen(None, None) is None
    assert chosen("", "") is None


@pytest.mark.parametrize(
    ("model", "variable"), [("balanced", "ANTHROPIC_API_KEY"), ("gpt-6.1-terra", "OPENAI_API_KEY")]
)
def test_a_key_that_is_not_set_is_named(model: str, variable: str) -> None:
    with pytest.raises(UnusableOption, match=f"export {variable}="):
        chosen(model, None)


def test_a_key_of_the_environment_is_taken_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    found = chosen("claude-haiku-5-5", None)
    assert found is not None
    assert (dict(found.keys), found.settings, found.is_paid) == ({"anthropic": "sk-ant-1"}, (), True)


def test_a_provider_on_this_machine_needs_no_key_and_bills_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as provider:
        url = f"http://127.0.0.1:{provider.getsockname()[1]}"
        found = chosen("gpt-6.1-terra", url)
    assert found is not None
    assert (found.settings, found.is_paid) == ((f'providers.openai.url="{url}/v1"',), False)


def test_a_provider_that_nobody_started_is_told_before_anything_is_deployed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnusableOption, match="nobody answers at PROVIDER_URL"):
        chosen("balanced", f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("model", "url", "told"),
    [
        ("claude-hayku", None, "there is no model 'claude-hayku'. Did you mean claude-haiku-5-5"),
        ("Balance", None, "Did you mean balanced"),
        ("nope", None, "there is no model 'nope'. `stepward models` lists all"),
        ("bedrock/claude-haiku-5-5", None, "needs an AWS account"),
        (None, "http://127.0.0.1:9000", "without MODEL"),
    ],
)
def test_what_cannot_be_asked_is_told_shortly(model: str | None, url: str | None, told: str) -> None:
    with pytest.raises(UnusableOption, match=told) as refused:
        chosen(model, url)
    assert len(str(refused.value)) <= 240


def test_what_the_command_says_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        chosen("claude-hayku" * 100, None)
        raise AssertionError

    assert stopping.run(refuse) == stopping.UNUSABLE_OPTION
    assert max(map(len, capsys.readouterr().err.splitlines())) <= 80
    whole = f"--state-dir /{'x' * 100} cannot be written to"
    assert f"/{'x' * 100}" in stopping.wrapped(whole)
