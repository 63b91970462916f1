"""The page about real models says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from stepward.domain import errors
from stepward.domain.agents import AgentDefinition
from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH
from stepward.testing.memory_bench import MOST_TURN_PART, SIZES_MB, recommended_mb
from tests.support.model_failures import NO_REPLIES, REPLIES, Ends, code_of

PAGE = (Path(__file__).resolve().parents[2] / "shared" / "docs" / "models.md").read_text()


def test_every_error_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:Output|Model|Content|Context|Provider|Stream|Key)[A-Z]\w+)`", PAGE))
    assert len(named) > 12
    assert {name for name in named if not hasattr(errors, name)} == set()


def test_its_tables_say_how_runs_really_end() -> None:
    """The rows are those that whole runs of every vendor are held to, with the same names of errors."""
    for title, rows in (("the reply", REPLIES), ("no reply", NO_REPLIES)):
        table = re.search(
            rf"^\| {title} \| what follows \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE
        )
        assert table is not None
        said = dict(re.findall(r"^\| (.*?) \| (.*) \|$", table.group(1), re.MULTILINE))
        assert list(said) == [row.said for row in rows]
        for row in rows:
            assert _unsaid(row, said[row.said]) == [], row.said


def _unsaid(row: Ends, follows: str) -> list[str]:
    """Name what a row leaves out of how its runs end."""
    codes = {code_of(row, fault) for fault in row.faults} - {None, "RunCancelled"}
    words = [f"`{code}`" for code in codes] + (["again"] if row.waits_s else [])
    final = row.lasting == "FAILED" or (not row.passes and row.code != "RunCancelled")
    return [word for word in (*words, *(["FAILED"] if final else [])) if word not in follows]


def test_waiting_costs_what_it_says() -> None:
    rows = re.findall(r"^\| ([\d,]+) MB([^|]*)\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    marked = [int(memory.replace(",", "")) for memory, note, *_ in rows if "agent_advance" in note]
    assert marked == [ROOM_MEMORY_MB["agent_advance"]]
    for memory, _, *said in rows:
        each = USD_MICROS_EACH["lambda_mb_ms"] * int(memory.replace(",", "")) / 1_000_000
        assert said == [f"{each * seconds * 1_000:.6f}" for seconds in (3, 10, 30)]


def test_the_function_has_the_size_that_the_rule_gives_for_its_table() -> None:
    rows = re.findall(
        r"^\| ([\d,]+) MB([^|]*)\| ([\d.]+) \| ([\d.]+) \| [\d.]+ \| [\d.]+ \|$", PAGE, re.MULTILINE
    )
    sizes = {
        size.replace(",", ""): {"peak_part": float(peak), "turn_part_of_wait": float(turn)}
        for size, _, peak, turn in rows
    }
    assert [int(size) for size in sizes] == list(SIZES_MB)
    marked = [int(size.replace(",", "")) for size, note, *_ in rows if "agent_advance" in note]
    assert marked == [recommended_mb(sizes)] == [ROOM_MEMORY_MB["agent_advance"]]
    assert f"at most {MOST_TURN_PART:.0%}".replace("%", " %") in PAGE


def test_the_agent_that_it_shows_can_be_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert AgentDefinition.model_validate(yaml.safe_load(text)).fallbacks == ["gpt-6.1-terra"]
