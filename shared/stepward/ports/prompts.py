"""Prompts and their versions: written once and never changed; labels point to one or, by weights, to several."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Bug, Conflict
from stepward.domain.prompts import PromptArm, PromptDefinition, PromptReference, ResolvedPrompt

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


@dataclass(frozen=True)
class LabelledPrompt:
    """A label, and each version that it points to."""

    label: PromptLabel
    versions: tuple[RegisteredPrompt, ...]


@dataclass(frozen=True)
class FoundPrompt:
    """What one read found: a version, or a label with each version that it points to."""

    versions: tuple[RegisteredPrompt, ...]
    label: PromptLabel | None = None

    def version_for(self, key: str | None) -> RegisteredPrompt:
        """Choose the version that a run gets."""
        if self.label is None:
            return self.versions[0]
        chosen = self.label.arm_of(key)
        return next(one for one in self.versions if one.definition.version == chosen)


class PromptRegistry(Protocol):
    """The registry of prompts; a change over a stale read raises `StoreConflict`."""

    def find_prompt(self, tenant: str, prompt: str, version: str) -> FoundPrompt | None:
        """Read one version by its number, or all that a label points to, in one read."""

    def keep_prompt(self, tenant: str, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Keep a version once, and point `latest` to it if it is the newest.

        The same version with the same content is the same registration; other content raises `Conflict`.
        """

    def list_prompts(self, tenant: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List prompts by id, each in its newest version."""

    def list_versions(self, tenant: str, prompt: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List a prompt's versions, the newest first."""

    def prompt_labels(self, tenant: str, prompt: str) -> list[PromptLabel]:
        """List a prompt's labels by name."""

    def set_prompt_label(self, tenant: str, prompt: str, label: LabelledPrompt) -> None:
        """Write a label over the revision before its own; revision 1 is the first."""

    def remove_prompt_label(self, tenant: str, prompt: str, label: str) -> bool:
        """Take a label away; False when it was not there."""


class FillsPrompts(Protocol):
    """What fills the prompt of a run that begins or is handed over."""

    def __call__(
        self, tenant: str, agent: AgentDefinition, given: Any, key: str | None
    ) -> ResolvedPrompt | None:
        """Render the prompt that an agent names.

        Args:
            tenant: Whose run it is.
            agent: The agent's version.
            given: The run's input.
            key: Chooses among the versions of a label, the same for the same key; None takes the heaviest.

        Returns:
            The version and its text; None where the agent's prompt is a text of its own.

        Raises:
            NotFound: There is no such prompt, version or label.
            InvalidRequest: A variable is missing or of another type, or the template cannot be rendered.
        """


class NoPrompts:
    """Where no registry of prompts is: every agent has a text of its own."""

    def __call__(
        self, tenant: str, agent: AgentDefinition, given: Any, key: str | None
    ) -> ResolvedPrompt | None:
        """Refuse a prompt of the registry."""
        if PromptReference.read(agent.prompt) is None:
            return None
        raise Bug(
            f"nothing here fills the prompt {agent.prompt} of {agent.id} of {tenant} for {key}: {type(given)}"
        )


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
