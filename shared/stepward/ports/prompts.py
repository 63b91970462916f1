"""The registry of prompts, and what fills the prompts of runs from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Bug
from stepward.domain.prompt_records import ArmCount, PromptLabel, PromptPage, RegisteredPrompt
from stepward.domain.prompts import PromptReference, ResolvedPrompt


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
        """Read one version, or all that a label points to, in one read.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.
            version: A version's number or a label.

        Returns:
            What was found; None where there is none.
        """

    def keep_prompt(self, tenant: str, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Keep a version once, and point `latest` to it if it is the newest.

        Args:
            tenant: Whose prompt.
            prompt: The version.

        Returns:
            The version that is kept; the same content again is the earlier registration.

        Raises:
            Conflict: The version exists with other content.
        """

    def list_prompts(self, tenant: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List prompts by id, each in its newest version.

        Args:
            tenant: Whose prompts.
            limit: The most entries on a page.
            cursor: The cursor of the page before; None for the first.

        Returns:
            The page.

        Raises:
            InvalidRequest: The cursor cannot be read.
        """

    def list_versions(self, tenant: str, prompt: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List a prompt's versions, the newest first.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.
            limit: The most entries on a page.
            cursor: The cursor of the page before; None for the first.

        Returns:
            The page, empty where there is no such prompt.

        Raises:
            InvalidRequest: The cursor cannot be read.
        """

    def prompt_labels(self, tenant: str, prompt: str) -> list[PromptLabel]:
        """List a prompt's labels by name.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.

        Returns:
            The labels, `latest` among them; empty where there is no such prompt.
        """

    def set_prompt_label(self, tenant: str, prompt: str, label: LabelledPrompt) -> None:
        """Write a label over the revision before its own; revision 1 is the first.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.
            label: The label with the versions that it points to, of which it keeps copies.

        Raises:
            StoreConflict: The label is at another revision.
        """

    def remove_prompt_label(self, tenant: str, prompt: str, label: str) -> bool:
        """Delete a label.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.
            label: The label.

        Returns:
            False when it was not there.
        """


class PromptCounts(Protocol):
    """What runs came to, by the prompt that they began with; the end of each run adds to it."""

    def arms(self, tenant: str, prompt: str) -> list[ArmCount]:
        """Read the counts of a prompt.

        Args:
            tenant: Whose prompt.
            prompt: The prompt's id.

        Returns:
            A count for each label and version that runs have ended with, sorted by both.
        """


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
