"""Prompts in dictionaries, with the same conditions as the table."""

from __future__ import annotations

from threading import RLock

from stepward.domain.errors import StoreConflict
from stepward.domain.prompt_records import (
    LATEST,
    ArmCount,
    PromptLabel,
    PromptPage,
    PromptSummary,
    RegisteredPrompt,
    arms_in_sum,
    changed_version,
    latest_label,
    summary,
    version_order,
)
from stepward.ports.prompts import FoundPrompt, LabelledPrompt

Place = tuple[str, str, str]


class MemoryPromptRegistry:
    """Keeps every version of every prompt."""

    def __init__(self) -> None:
        self._versions: dict[Place, RegisteredPrompt] = {}
        self._labels: dict[Place, PromptLabel] = {}
        self._lock = RLock()

    def find_prompt(self, tenant: str, prompt: str, version: str) -> FoundPrompt | None:
        """Read one version by its number, or all that a label points to."""
        with self._lock:
            label = self._labels.get((tenant, prompt, version))
            names = [arm.version for arm in label.arms] if label else [version]
            found = [self._versions.get((tenant, prompt, name)) for name in names]
        versions = tuple(one for one in found if one is not None)
        return FoundPrompt(versions, label) if versions else None

    def keep_prompt(self, tenant: str, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Keep a version once, and point `latest` to it if it is the newest."""
        definition = prompt.definition
        place = (tenant, definition.id, definition.version)
        with self._lock:
            kept = self._versions.setdefault(place, prompt)
            if kept.definition != definition:
                raise changed_version(definition)
            newest = self._labels.get((tenant, definition.id, LATEST))
            if newest is None or _order(newest) < version_order(definition.version):
                self._labels[tenant, definition.id, LATEST] = latest_label(kept)
        return kept

    def list_prompts(self, tenant: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List prompts by id, each in its newest version."""
        newest = {
            prompt: self._versions[owner, prompt, label.arms[0].version]
            for (owner, prompt, name), label in sorted(self._labels.items())
            if owner == tenant and name == LATEST and prompt > (cursor or "")
        }
        page = [summary(one) for one in newest.values()]
        return PromptPage(prompts=page[:limit], cursor=page[limit - 1].id if len(page) > limit else None)

    def list_versions(self, tenant: str, prompt: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List a prompt's versions, the newest first."""
        own = [summary(one) for place, one in self._versions.items() if place[:2] == (tenant, prompt)]
        page = sorted(own, key=_by_number, reverse=True)
        if cursor is not None:
            page = [one for one in page if _by_number(one) < cursor]
        return PromptPage(
            prompts=page[:limit], cursor=_by_number(page[limit - 1]) if len(page) > limit else None
        )

    def prompt_labels(self, tenant: str, prompt: str) -> list[PromptLabel]:
        """List a prompt's labels by name."""
        names = sorted(place for place in self._labels if place[:2] == (tenant, prompt))
        return [self._labels[name] for name in names]

    def set_prompt_label(self, tenant: str, prompt: str, label: LabelledPrompt) -> None:
        """Write a label over the revision before its own."""
        written = label.label
        place = (tenant, prompt, written.label)
        with self._lock:
            there = self._labels.get(place)
            if (there.rev if there else 0) != written.rev - 1:
                raise StoreConflict(f"label {written.label} of {prompt} has changed since it was read")
            self._labels[place] = written

    def remove_prompt_label(self, tenant: str, prompt: str, label: str) -> bool:
        """Take a label away."""
        return self._labels.pop((tenant, prompt, label), None) is not None


class MemoryPromptCounts:
    """Keeps what runs came to, by prompt."""

    def __init__(self) -> None:
        self._counts: list[tuple[str, ArmCount]] = []

    def add(self, tenant: str, count: ArmCount) -> None:
        """Add a run that has ended."""
        self._counts.append((tenant, count))

    def arms(self, tenant: str, prompt: str) -> list[ArmCount]:
        """Read the counts of a prompt."""
        return arms_in_sum(one for owner, one in self._counts if (owner, one.prompt) == (tenant, prompt))


def _order(label: PromptLabel) -> str:
    return version_order(label.arms[0].version)


def _by_number(version: PromptSummary) -> str:
    return version_order(version.version)
