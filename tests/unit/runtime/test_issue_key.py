"""What an operator does about keys: make, list, revoke."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stepward.adapters.memory.small_ports import MemoryIdentity, StillClock
from stepward.domain.errors import NotAuthenticated
from stepward.identity.api_keys import ApiKeys
from stepward.runtime import issue_key
from stepward.runtime.container import Container

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def keys(clock: StillClock, container: Container) -> ApiKeys:
    container.ports.identity, container.ports.clock = MemoryIdentity(), clock
    return container.agents.api_keys


@pytest.fixture
def run(keys: ApiKeys, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        code = issue_key.main(list(words))
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return run


def opens(keys: ApiKeys, key: str) -> bool:
    try:
        return keys.recognise({"x-api-key": key}).principal == "ci"
    except NotAuthenticated:
        return False


def test_a_key_that_is_revoked_opens_nothing_from_its_next_request_on(run: Run, keys: ApiKeys) -> None:
    _, key, _ = run("--tenant", "acme", "--principal", "ci")
    assert opens(keys, key)
    assert run("--revoke", key.split("_")[1])[0] == 0
    assert not opens(keys, key)
    with pytest.raises(NotAuthenticated, match="revoked"):
        keys.recognise({"x-api-key": key})


@pytest.mark.parametrize(
    ("said", "lasts_s"), [("90d", 7_776_000), ("12h", 43_200), ("30m", 1_800), ("5s", 5)]
)
def test_a_key_expires(run: Run, keys: ApiKeys, clock: StillClock, said: str, lasts_s: int) -> None:
    _, key, _ = run("--tenant", "acme", "--principal", "ci", "--expires-in", said)
    clock.forward(lasts_s - 1)
    assert opens(keys, key)
    clock.forward(1)
    assert not opens(keys, key)


def test_keys_are_listed_without_what_opens_anything(run: Run, clock: StillClock) -> None:
    _, first, _ = run("--tenant", "acme", "--principal", "ci", "--expires-in", "1h")
    _, second, _ = run("--tenant", "other", "--principal", "spy")
    run("--revoke", second)
    clock.forward(3_600)
    listed = json.loads(run("--list", "--json")[1])
    assert {(one["tenant"], one["principal"], one["status"]) for one in listed} == {
        ("acme", "ci", "expired"),
        ("other", "spy", "revoked"),
    }
    said = run("--list", "--tenant", "acme")[1]
    assert "other" not in said
    assert first.split("_")[1] in said
    for key in (first, second):
        assert key.split("_")[2] not in json.dumps(listed) + said


def test_what_is_not_there_cannot_be_revoked(run: Run) -> None:
    code, _, said = run("--revoke", "0123456789abcdef")
    assert (code, said.startswith("NotFound")) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--tenant", "acme"],
        ["--tenant", "acme", "--principal", "ci", "--expires-in", "0d"],
        ["--tenant", "acme", "--principal", "ci", "--expires-in", "1w"],
        ["--tenant", "acme", "--principal", "ci", "--expires-in", "99999d"],
        ["--list", "--revoke", "abc"],
        ["--list", "--principal", "ci"],
    ],
)
def test_words_that_make_no_sense_are_refused(run: Run, words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        run(*words)
    assert refused.value.code == 2
