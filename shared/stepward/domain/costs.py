"""Sums of costs per day, agent and model, so that reports never read the runs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import reduce
from typing import Final

from pydantic import BaseModel, ConfigDict, NonNegativeInt

COST_SHARDS: Final = 4


class CostBy(StrEnum):
    """What the sums of an answer are grouped by."""

    TENANT = "tenant"
    AGENT = "agent"
    MODEL = "model"
    WORKFLOW = "workflow"
    DAY = "day"


class CostSums(BaseModel):
    """The numbers that are added up; money is split by payee: the model's vendor, tools, AWS."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    runs: NonNegativeInt = 0
    turns: NonNegativeInt = 0
    tool_calls: NonNegativeInt = 0
    input_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0
    cache_read_tokens: NonNegativeInt = 0
    cache_write_tokens: NonNegativeInt = 0
    model_usd_micros: int = 0
    """A line of a late reply may lower it: its call had been booked at its full reservation."""
    tool_usd_micros: NonNegativeInt = 0
    aws_usd_micros: NonNegativeInt = 0
    response_cache_hits: NonNegativeInt = 0
    saved_tokens: NonNegativeInt = 0
    saved_usd_micros: NonNegativeInt = 0
    """What the hits would have cost; it is in no other number."""

    @property
    def total_usd_micros(self) -> int:
        """Everything together."""
        return self.model_usd_micros + self.tool_usd_micros + self.aws_usd_micros

    @property
    def sums(self) -> dict[str, int]:
        """The numbers by name."""
        return self.model_dump(include=set(CostSums.model_fields))

    def plus(self, other: CostSums) -> CostSums:
        """Add two lines' numbers."""
        theirs = other.sums
        return CostSums(**{name: number + theirs[name] for name, number in self.sums.items()})


class CostLine(CostSums):
    """The sums of one day, agent and model; a run adds its own to the day it ends on.

    A workflow's own line has no agent and no model: the cost of its agents is in theirs.
    """

    day: str
    agent: str = ""
    model: str = ""
    workflow: str = ""

    @property
    def name(self) -> tuple[str, str, str, str]:
        """Whose sums they are."""
        return (self.day, self.agent, self.model, self.workflow)


def added_up(lines: Iterable[CostLine]) -> list[CostLine]:
    """Merge lines of the same day, agent, model and workflow; sorted by those."""
    found: dict[tuple[str, str, str, str], list[CostLine]] = {}
    for line in lines:
        found.setdefault(line.name, []).append(line)
    return [found[name][0].model_copy(update=in_sum(found[name]).sums) for name in sorted(found)]


def grouped(lines: Iterable[CostLine], by: CostBy) -> dict[str, CostSums]:
    """Sum lines by agent, model, workflow or day, or all as `tenant`; sorted by name.

    Lines without an agent, such as a workflow's own cost, are grouped under an empty name, so that the groups
    add up to the whole.
    """
    found: dict[str, list[CostSums]] = {}
    for line in lines:
        found.setdefault("tenant" if by is CostBy.TENANT else getattr(line, by.value), []).append(line)
    return {name: in_sum(found[name]) for name in sorted(found)}


def in_sum(lines: Iterable[CostSums]) -> CostSums:
    """Sum all lines."""
    return reduce(CostSums.plus, lines, CostSums())
