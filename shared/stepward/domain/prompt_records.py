"""Prompts as the registry keeps them: versions that never change, and labels that point to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.errors import Conflict
from stepward.domain.prompts import PromptArm, PromptDefinition

LATEST: Final = "latest"
"""The label that the registry itself moves: always the newest version."""
MOST_EARLIER: Final = 10
"""How many of a label's former versions are kept, to roll back to."""


class RegisteredPrompt(BaseModel):
    """A definition with the time of its registration, and by whom."""

    model_config = ConfigDict(defer_build=True)

    definition: PromptDefinition
    created_at: str
    created_by: str


class PromptSummary(BaseModel):
    """A version as lists show it."""

    model_config = ConfigDict(defer_build=True)

    id: str
    version: str
    description: str = ""
    created_at: str


class PromptPage(BaseModel):
    """One page of prompts by id, or of versions, the newest first; the last has no cursor."""

    model_config = ConfigDict(defer_build=True)

    prompts: list[PromptSummary]
    cursor: str | None = None


class Pointing(BaseModel):
    """Where a label pointed, and since when."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    arms: tuple[PromptArm, ...]
    set_at: str
    set_by: str


class PromptLabel(Pointing):
    """A name for a version, or for several by weights; `rev` counts its changes."""

    label: str
    earlier: tuple[Pointing, ...] = Field(default=(), max_length=MOST_EARLIER)
    """Where it pointed before, the newest first."""
    rev: int = 1

    def arm_of(self, key: str | None) -> str:
        """Choose a version: the same for the same key, shared among keys by the weights.

        Without a key it is the one of the greatest weight.
        """
        if key is None or len(self.arms) == 1:
            return max(self.arms, key=lambda arm: arm.weight).version
        digest = hashlib.sha256(f"{self.label}\n{key}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") % sum(arm.weight for arm in self.arms)
        for arm in self.arms:
            place -= arm.weight
            if place < 0:
                break
        return arm.version


def summary(kept: RegisteredPrompt) -> PromptSummary:
    """Show a version as lists do."""
    shown = kept.definition.model_dump(include={"id", "version", "description"})
    return PromptSummary(**shown, created_at=kept.created_at)


def latest_label(kept: RegisteredPrompt) -> PromptLabel:
    """Point `latest` to a version."""
    arms = (PromptArm(version=kept.definition.version),)
    return PromptLabel(label=LATEST, arms=arms, set_at=kept.created_at, set_by=kept.created_by)


def changed_version(prompt: PromptDefinition) -> Conflict:
    """Make the error for a version that exists with other content."""
    return Conflict(
        f"version {prompt.version} of {prompt.id!r} exists with other content.",
        field="version",
        fix="versions never change: register this content under a higher version",
    )


def version_order(version: str) -> str:
    """Write a version so that texts sort as its numbers do: 1.10.0 after 1.9.0."""
    return ".".join(f"{int(part):06d}" for part in version.split("."))


class ArmCount(BaseModel):
    """What the runs of one version came to, for one label by which they were started.

    A run counts with the prompt that it began with, once, when it ends; `label` is empty for runs of agents that name the
    version itself. `cost_usd_micros` is of charged runs, `active_ms` without the time in the run queue and in waits for people.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    prompt: str
    label: str = ""
    version: str
    runs: int = 0
    completed: int = 0
    rehearsed: int = 0
    cost_usd_micros: int = 0
    active_ms: int = 0

    @property
    def sums(self) -> dict[str, int]:
        """The numbers by name."""
        return self.model_dump(exclude={"prompt", "label", "version"})

    def plus(self, other: ArmCount) -> ArmCount:
        """Add another count's numbers."""
        theirs = other.sums
        return self.model_copy(update={name: number + theirs[name] for name, number in self.sums.items()})


def arms_in_sum(counts: Iterable[ArmCount]) -> list[ArmCount]:
    """Merge counts of the same label and version; sorted by both, versions by their numbers."""
    found: dict[tuple[str, str], ArmCount] = {}
    for one in counts:
        place = (one.label, version_order(one.version))
        found[place] = found[place].plus(one) if place in found else one
    return [found[place] for place in sorted(found)]
