"""What an operator does about prices of models: set, list, remove, for all tenants or for one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stepward.adapters.memory.costs import MemoryPrices
from stepward.runtime import model_prices
from stepward.runtime.container import Container

Run = Callable[..., tuple[int, str, str]]
OURS = ("--model", "ours/llama-4")


@pytest.fixture
def store(container: Container) -> MemoryPrices:
    container.ports.price_store = found = MemoryPrices()
    return found


@pytest.fixture
def run(store: MemoryPrices, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = model_prices.main([*words])
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_price_for_all_is_set_changed_and_removed(run: Run, store: MemoryPrices) -> None:
    assert run("ls") == (0, "no agreed prices: the list's hold\n", "")
    code, said, _ = run("set", *OURS, "--input", "1", "--output", "2", "--source", "our contract")
    assert (code, said.startswith("ours/llama-4  in 1, out 2  our contract, 20")) == (0, True)
    price = store.of("anybody")["ours/llama-4"]
    assert (str(price.input_usd_per_mtok), str(price.output_usd_per_mtok)) == ("1", "2")
    run("set", *OURS, "--input", "0.5", "--context", "32000", "--as-of", "2026-11-30")
    (shown,) = json.loads(run("ls", "--json")[1])
    assert (shown["input_usd_per_mtok"], shown["output_usd_per_mtok"]) == ("0.5", "2")
    assert (shown["context_tokens"], shown["as_of"]) == (32_000, "2026-11-30")
    assert run("remove", *OURS) == (0, "no agreed prices: the list's hold\n", "")
    code, _, said = run("remove", *OURS)
    assert (code, "no price was agreed for 'ours/llama-4'" in said) == (1, True)


def test_a_tenants_own_stands_before_the_one_of_all(run: Run, store: MemoryPrices) -> None:
    run("set", *OURS, "--input", "1", "--output", "2")
    run("set", *OURS, "--tenant", "acme", "--input", "3")
    assert [str(store.of(one)["ours/llama-4"].input_usd_per_mtok) for one in ("acme", "globex")] == ["3", "1"]
    assert str(store.of("acme")["ours/llama-4"].output_usd_per_mtok) == "2"
    assert "in 3" in run("ls", "--tenant", "acme")[1]


def test_a_listed_model_is_discounted_by_its_alias(run: Run, store: MemoryPrices) -> None:
    assert " less 15 %" in run("set", "--model", "balanced", "--discount", "15")[1]
    (name,) = store.of("acme")
    assert name.startswith("claude-")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set",), 2, "set needs --model"),
        (("ls", "--input", "1"), 2, "are for set only"),
        (
            ("set", *OURS, "--output", "1"),
            1,
            "the model has no price yet: give --input as well. Fix: add --input USD",
        ),
        (("set", *OURS, "--input", "-1", "--output", "1"), 1, "input_usd_per_mtok"),
        (("set", *OURS, "--input", "1", "--output", "1", "--as-of", "today"), 1, "as_of"),
        (("set", "--model", "a b", "--input", "1", "--output", "1"), 1, "cannot be a model's id"),
        (
            ("set", *OURS, "--tenant", "No Tenant", "--input", "1", "--output", "1"),
            1,
            "is not a valid tenant",
        ),
    ],
)
def test_wrong_words(run: Run, store: MemoryPrices, words: tuple[str, ...], code: int, said: str) -> None:
    assert run(*words)[0] == code
    told = run(*words)[2]
    assert said in " ".join(told.split())
    assert store.versioned(None)[0] == {}
