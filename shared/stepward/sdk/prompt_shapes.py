"""What the prompts' part of the client returns."""

from __future__ import annotations

from typing import Any, TypedDict


class PromptSummary(TypedDict):
    """A version as lists show it."""

    id: str
    version: str
    description: str
    created_at: str


class PromptPage(TypedDict):
    """Prompts by id, each in its newest version; the last page has no `next_cursor`."""

    prompts: list[PromptSummary]
    next_cursor: str | None


class PromptVersions(TypedDict):
    """A prompt's versions, the newest first."""

    id: str
    versions: list[PromptSummary]
    next_cursor: str | None


class PromptArm(TypedDict):
    """One of the versions that a label points to, with its weight."""

    version: str
    weight: int


class PromptLabel(TypedDict):
    """A name for a version; `version` is None where it points to several."""

    id: str
    label: str
    version: str | None
    arms: list[PromptArm]
    set_at: str
    set_by: str
    rev: int
    can_roll_back: bool


class PromptLabels(TypedDict):
    """A prompt's labels by name."""

    id: str
    labels: list[PromptLabel]


class PromptVersion(TypedDict):
    """A version that is kept."""

    id: str
    version: str
    description: str
    created_at: str
    created_by: str
    prompt: dict[str, Any]


class PromptDetail(PromptVersion):
    """A version with the label by which it was asked for."""

    label: PromptLabel | None


class VariableChanges(TypedDict):
    """The variables that differ between two versions, by name."""

    added: list[str]
    removed: list[str]
    changed: list[str]


PromptDiff = TypedDict(
    "PromptDiff",
    {
        "id": str, "from": str, "to": str, "is_newer": bool, "changed": list[str], "template": str,
        "variables": VariableChanges,
    },
)  # fmt: skip
"""What differs between two versions; `template` is a unified diff, empty where the templates are equal."""


class RenderedPrompt(TypedDict):
    """What a version renders to; `cached` is whether the stage had the text already."""

    id: str
    version: str
    label: str | None
    text: str
    cached: bool


class PromptArmCount(TypedDict):
    """What the runs of one version came to; `label` is None if the agent names the version."""

    label: str | None
    version: str
    runs: int
    completed: int
    rehearsed: int
    cost_usd_micros: int
    active_ms: int
    success_rate: float
    average_cost_usd_micros: int
    average_active_ms: int


class PromptArmCounts(TypedDict):
    """What runs came to, for each label and version."""

    id: str
    arms: list[PromptArmCount]
