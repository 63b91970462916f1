"""What an operator does about keys of providers: set, add, list, remove, and never show one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from infra.names import Names
from stepward.adapters.memory.providers import MemoryPools
from stepward.domain.errors import DependencyTimeout
from stepward.domain.provider_pools import MOST_KEYS, secrets_prefix
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.runtime import provider_keys
from stepward.runtime.container import Container

Run = Callable[..., tuple[int, str, str]]
PLANTED = "sk-planted-0123456789-ABCD"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def pools(container: Container) -> MemoryPools:
    found = MemoryPools()
    container.ports.provider_pools = lambda stage: found if stage == "dev" else None
    return found


@pytest.fixture
def run(pools: MemoryPools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, value: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(value))
        try:
            code = provider_keys.main([*words, "--stage", "dev"])
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        assert PLANTED not in said.out + said.err
        return code, said.out, said.err

    return run


def kept(pools: MemoryPools, provider: str = "anthropic", owner: str = "shared") -> dict[str, str]:
    pool = pools.read(provider, owner)
    return {key.id: key.value.get_secret_value() for key in pool.keys} if pool else {}


def test_a_key_is_set_from_what_is_piped_in_and_shown_by_its_ending(run: Run, pools: MemoryPools) -> None:
    code, said, _ = run("set", "--provider", "anthropic", value=f"{PLANTED}\n")
    assert code == 0
    assert kept(pools) == {"default": PLANTED}
    heading, line = said.splitlines()
    assert heading.split() == ["provider", "tenant", "id", "key", "added"]
    assert line.split()[:4] == ["anthropic", "shared", "default", "…ABCD"]


def test_at_a_terminal_it_is_asked_for_and_not_shown(
    run: Run, pools: MemoryPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return PLANTED

    monkeypatch.setattr(provider_keys, "getpass", getpass)
    monkeypatch.setattr("sys.stdin", Terminal())
    assert provider_keys.main(["set", "--provider", "openai", "--stage", "dev"]) == 0
    assert kept(pools, "openai") == {"default": PLANTED}
    assert asked == ["Key of openai (it is not shown): "]


def test_set_leaves_it_alone_in_its_pool_and_add_does_not(run: Run, pools: MemoryPools) -> None:
    run("set", "--provider", "anthropic", value="sk-1")
    run("add", "--provider", "anthropic", "--id", "second", value="sk-2")
    assert kept(pools) == {"default": "sk-1", "second": "sk-2"}
    run("add", "--provider", "anthropic", "--id", "default", value="sk-3")
    assert kept(pools) == {"default": "sk-3", "second": "sk-2"}
    run("set", "--provider", "anthropic", "--id", "only", value="sk-4")
    assert kept(pools) == {"only": "sk-4"}


def test_a_tenants_keys_are_its_own(run: Run, pools: MemoryPools) -> None:
    run("set", "--provider", "anthropic", value="sk-shared")
    run("set", "--provider", "anthropic", "--tenant", "acme", value="sk-acme")
    assert (kept(pools), kept(pools, owner="acme")) == ({"default": "sk-shared"}, {"default": "sk-acme"})


def test_the_list_shows_no_values(run: Run) -> None:
    run("set", "--provider", "anthropic", value=PLANTED)
    run("set", "--provider", "openai", "--tenant", "acme", value="short")
    found = json.loads(run("ls", "--json")[1])
    assert [(one["provider"], one["tenant"], one["ends_in"]) for one in found] == [
        ("anthropic", None, "…ABCD"),
        ("openai", "acme", None),
    ]
    assert run("ls", "--tenant", "acme")[1].splitlines()[1].split()[:4] == [
        "openai",
        "acme",
        "default",
        "set",
    ]
    assert all(one["added_at"].endswith("Z") for one in found)
    assert "acme" not in run("ls", "--provider", "anthropic")[1]
    assert run("ls", "--tenant", "globex")[1] == "no keys\n"


def test_a_key_is_removed_by_its_id_or_as_the_only_one(run: Run, pools: MemoryPools) -> None:
    run("set", "--provider", "anthropic", value="sk-1")
    run("add", "--provider", "anthropic", "--id", "second", value="sk-2")
    code, _, said = run("remove", "--provider", "anthropic")
    assert (code, "default, second" in said) == (1, True)
    assert run("remove", "--provider", "anthropic", "--id", "default")[0] == 0
    assert kept(pools) == {"second": "sk-2"}
    assert run("remove", "--provider", "anthropic") == (0, "no keys\n", "")
    assert pools.names() == []
    code, _, said = run("remove", "--provider", "anthropic", "--id", "second")
    assert (code, "there is no key 'second'" in said) == (1, True)


@pytest.mark.parametrize(
    "value", ["", "\n", "sk-planted 1", "sk-planted\nsk-planted", "schlüssel-planted", "x" * 5_000]
)
def test_what_is_no_key_is_refused_and_not_repeated(run: Run, pools: MemoryPools, value: str) -> None:
    code, _, said = run("set", "--provider", "anthropic", value=value)
    assert code == 1
    assert "planted" not in said
    assert "InvalidRequest: the value is not a key" in said
    assert pools.names() == []


@pytest.mark.parametrize("words", [(PLANTED,), ("--value", PLANTED), (f"--key={PLANTED}",)])
def test_a_key_as_an_argument_is_refused_and_not_repeated(run: Run, words: tuple[str, ...]) -> None:
    code, _, said = run("set", "--provider", "anthropic", *words)
    assert code == 2
    assert "standard input, never as an argument" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set",), "set needs --provider"),
        (("set", "--provider", "Anthropic"), "'Anthropic' is not a valid provider"),
        (("set", "--provider", "anthropic", "--tenant", "Acme"), "'Acme' is not a valid tenant"),
        (("set", "--provider", "anthropic", "--tenant", "shared"), "Fix: leave --tenant out"),
        (("set", "--provider", "anthropic", "--id", "a b"), "the key's id is invalid"),
        (("set", "--provider", "bedrock"), "'bedrock' takes no key"),
        (("ls", "--id", "x"), "--id is for set, add and remove only"),
        (("list",), "invalid choice: 'list'"),
    ],
)
def test_wrong_words(run: Run, pools: MemoryPools, words: tuple[str, ...], said: str) -> None:
    code, _, told = run(*words, value="sk-12345678")
    assert code != 0
    assert said in told
    assert pools.names() == []


@pytest.fixture
def entries(container: Container) -> None:
    """A stage that has one provider of its own, beside a Bedrock under another name."""
    own = (
        ProviderEntry(name="ours", kind="openai-chat", base_url="https://models.example.com/v1"),
        ProviderEntry(name="bedrock-eu", kind="bedrock"),
    )
    container.ports.stage_providers = lambda _: with_built_in(own)


@pytest.mark.usefixtures("entries")
def test_an_entry_of_the_stage_is_taken_without_a_word(run: Run, pools: MemoryPools) -> None:
    assert run("set", "--provider", "ours", value="sk-12345678")[::2] == (0, "")
    assert kept(pools, "ours") == {"default": "sk-12345678"}


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("action", ["set", "add"])
def test_a_name_that_is_no_entry_is_refused_with_the_nearest(
    run: Run, pools: MemoryPools, action: str
) -> None:
    code, _, said = run(action, "--provider", "anthropc", value="sk-12345678")
    assert code == 1
    assert "the stage 'dev' has no provider 'anthropc'. Fix: did you mean 'anthropic'?" in said
    assert "anthropic, bedrock, bedrock-eu, openai, ours" in said
    assert "--force" in said
    assert pools.names() == []


@pytest.mark.usefixtures("entries")
def test_by_force_it_is_kept_and_pointed_out(run: Run, pools: MemoryPools) -> None:
    code, _, said = run("set", "--provider", "coming", "--force", value="sk-12345678")
    assert (code, said) == (
        0,
        "the stage 'dev' has no provider 'coming'. Nothing uses this key until it has.\n",
    )
    assert kept(pools, "coming") == {"default": "sk-12345678"}
    code, _, said = run("set", "--provider", "bedrock-eu", "--force", value="sk-12345678")
    assert (code, "'bedrock-eu' takes no key" in said) == (1, True)


@pytest.mark.parametrize(
    ("found", "why"),
    [(None, "it is not deployed"), (DependencyTimeout("AWS did not answer"), "(AWS did not answer)")],
)
def test_a_stage_that_cannot_be_asked_is_no_reason_to_take_any_name(
    run: Run, pools: MemoryPools, container: Container, found: Exception | None, why: str
) -> None:
    def asked(_: str) -> None:
        if found:
            raise found

    container.ports.stage_providers = asked
    code, _, said = run("set", "--provider", "ours", value="sk-12345678")
    assert (code, why in said) == (1, True)
    assert run("set", "--provider", "ours", "--force", value="sk-12345678")[0] == 0
    assert run("set", "--provider", "openai", value="sk-12345678")[::2] == (0, "")
    assert kept(pools, "ours") == {"default": "sk-12345678"}
    assert run("remove", "--provider", "ours")[0] == 0


def test_a_pool_has_an_end(run: Run) -> None:
    for number in range(MOST_KEYS):
        assert run("add", "--provider", "anthropic", "--id", f"k{number}", value="sk-12345678")[0] == 0
    code, _, said = run("add", "--provider", "anthropic", "--id", "more", value="sk-12345678")
    assert (code, "remove one" in said) == (1, True)


def test_a_secret_that_holds_something_else_is_not_added_to(run: Run, pools: MemoryPools) -> None:
    pools.texts["anthropic/shared"] = PLANTED
    code, _, said = run("add", "--provider", "anthropic", value="sk-12345678")
    assert (code, "'anthropic/shared' holds no list of keys" in said) == (1, True)
    assert pools.texts["anthropic/shared"] == PLANTED


def test_command_and_grant_name_secrets_alike() -> None:
    assert secrets_prefix("prod") == Names("prod").provider_secrets()
