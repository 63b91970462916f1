"""What functions read of a stage's providers."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from infra.config import load_config
from stepward.ports.providers import BUILT_IN, ProviderEntry
from stepward.runtime.config import Settings


def read(*settings: str) -> dict[str, ProviderEntry]:
    """Write a stage's entries as infrastructure does, and read them as functions do."""
    written = load_config("dev", settings=settings).written("providers")
    return {entry.name: entry for entry in Settings.read({"PROVIDERS": written}).providers}


def test_without_entries_there_are_the_built_in_ones() -> None:
    assert Settings.read({}).providers == BUILT_IN
    assert tuple(read().values()) == BUILT_IN


def test_an_entry_of_a_built_in_name_replaces_it() -> None:
    found = read('providers.anthropic.url="http://127.0.0.1:9000/"')
    assert list(found) == [entry.name for entry in BUILT_IN]
    assert found["anthropic"] == ProviderEntry(
        name="anthropic", kind="anthropic", base_url="http://127.0.0.1:9000"
    )


@pytest.mark.parametrize(
    "setting", ["tokens_per_minute=9000", "requests_per_minute=60", 'url="https://azure.example.com/v1"']
)
def test_an_entry_of_a_built_in_name_keeps_the_silence_that_it_does_not_set(setting: str) -> None:
    built_in = {entry.name: entry.silence_s for entry in BUILT_IN}
    assert read(f"providers.openai.{setting}")["openai"].silence_s == built_in["openai"] == 300


@pytest.mark.parametrize("silence_s", [90, 45.5])
def test_an_entry_of_a_built_in_name_may_set_its_silence(silence_s: float) -> None:
    assert read(f"providers.openai.silence_s={silence_s}")["openai"].silence_s == silence_s


def test_a_server_of_openais_kind_has_the_usual_silence() -> None:
    entry = '{kind="openai", url="https://models.example.com/v1"}'
    assert read(f"providers.house={entry}")["house"].silence_s == 90


def test_a_server_of_the_operators_own_is_known_with_its_limits() -> None:
    entry = '{kind="openai-chat", url="https://models.example.com/v1", requests_per_minute=60, tokens_per_minute=9000}'
    found = read(f"providers.house={entry}")
    assert found["house"].takes_key
    assert found["house"] == ProviderEntry(
        name="house",
        kind="openai-chat",
        base_url="https://models.example.com/v1",
        requests_per_minute=60,
        tokens_per_minute=9_000,
    )


def test_where_keys_come_from_on_a_laptop_is_no_business_of_functions() -> None:
    entry = '{kind="openai", url="https://models.example.com", key_env="HOUSE_KEY"}'
    written = load_config("dev", settings=[f"providers.house={entry}"]).written("providers")
    assert "HOUSE_KEY" not in written


def test_bedrock_takes_no_key() -> None:
    assert [entry.name for entry in BUILT_IN if not entry.takes_key] == ["bedrock"]


def test_a_word_that_functions_do_not_know_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Settings.read({"PROVIDERS": json.dumps([{"name": "x", "kind": "openai", "key": "sk-1"}])})
