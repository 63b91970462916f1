"""The page about real models says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from stepward.domain import errors
from stepward.domain.agents import AgentDefinition
from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH

PAGE = (Path(__file__).resolve().parents[2] / "shared" / "docs" / "models.md").read_text()


def test_every_error_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:Output|Model|Content|Context|Provider|Stream|Key)[A-Z]\w+)`", PAGE))
    assert len(named) > 12
    assert {name for name in named if not hasattr(errors, name)} == set()


def test_waiting_costs_what_it_says() -> None:
    rows = re.findall(r"^\| ([\d,]+) MB[^|]*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert str(ROOM_MEMORY_MB["agent_advance"]) in [row[0].replace(",", "") for row in rows]
    for memory, *said in rows:
        each = USD_MICROS_EACH["lambda_mb_ms"] * int(memory.replace(",", "")) / 1_000_000
        assert said == [f"{each * seconds * 1_000:.6f}" for seconds in (3, 10, 30)]


def test_the_agent_that_it_shows_can_be_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert AgentDefinition.model_validate(yaml.safe_load(text)).fallbacks == ["gpt-6.1-terra"]
