"""Look up prompts: one version by its number or a label, lists, labels and what two versions differ in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from stepward.agents.show_runs import page_size
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.ids import LABEL_PATTERN, PROMPT_ID_PATTERN, VERSION_PATTERN, check_id
from stepward.domain.prompt_records import LATEST, ArmCount, PromptLabel, RegisteredPrompt, version_order
from stepward.domain.prompts import PromptDefinition
from stepward.ports.prompts import FoundPrompt, PromptCounts, PromptRegistry

_COMPARED: Final = ("description", "template", "variables", "metadata")


def find_prompt(registry: PromptRegistry, tenant: str, prompt: str, version: str | None) -> FoundPrompt:
    """Read a version, or what a label points to, `latest` by default.

    Raises:
        NotFound: There is none.
        InvalidRequest: The id is none, or the version is neither a version nor a label.
    """
    check_id("prompt_id", prompt, PROMPT_ID_PATTERN)
    asked = LATEST if version is None else version
    if not re.fullmatch(f"{VERSION_PATTERN}|{LABEL_PATTERN}", asked):
        raise InvalidRequest(
            f"{asked[:80]!r} is neither a version nor a label.",
            field="version",
            fix="use three numbers, as in 1.0.0, or a label, as in prod or latest",
        )
    found = registry.find_prompt(tenant, prompt, asked)
    if found is None:
        raise _not_found(registry, tenant, prompt, None if version is None else asked)
    return found


def _not_found(registry: PromptRegistry, tenant: str, prompt: str, version: str | None) -> NotFound:
    is_there = version is not None and registry.find_prompt(tenant, prompt, LATEST) is not None
    if version is None or not is_there:
        return NotFound(
            f"there is no prompt {prompt!r}.", field="prompt_id", fix="GET /prompts lists those that exist"
        )
    if version[0].isdigit():
        return NotFound(
            f"prompt {prompt!r} has no version {version}.",
            field="version",
            fix=f"GET /prompts/{prompt}/versions lists those that exist",
        )
    return NotFound(
        f"prompt {prompt!r} has no label {version!r}.",
        field="version",
        fix=f"GET /prompts/{prompt}/labels lists the labels, `latest` among them",
    )


def label_view(prompt: str, label: PromptLabel) -> dict[str, Any]:
    """Show a label as the API does; `version` is None where it has several."""
    only = label.arms[0].version if len(label.arms) == 1 else None
    shown = label.model_dump(mode="json", include={"arms", "set_at", "set_by", "rev"})
    return {
        "id": prompt,
        "label": label.label,
        "version": only,
        **shown,
        "can_roll_back": bool(label.earlier),
    }


def version_view(kept: RegisteredPrompt) -> dict[str, Any]:
    """Show a version as the API does."""
    definition = kept.definition
    shown = {"id": definition.id, "version": definition.version, "description": definition.description}
    body = definition.model_dump(mode="json", exclude_defaults=True)
    return {**shown, "created_at": kept.created_at, "created_by": kept.created_by, "prompt": body}


@dataclass(frozen=True)
class ShowPrompts:
    """The use cases behind the routes that read prompts."""

    registry: PromptRegistry
    counts: Callable[[], PromptCounts]

    def list(self, tenant: str, query: Mapping[str, str]) -> dict[str, Any]:
        """List prompts by id, each in its newest version."""
        page = self.registry.list_prompts(
            tenant, limit=page_size(query.get("limit")), cursor=query.get("cursor")
        )
        return {"prompts": [one.model_dump() for one in page.prompts], "next_cursor": page.cursor}

    def show(self, tenant: str, prompt: str, version: str | None) -> dict[str, Any]:
        """Show a version; of a label with several, the one with the greatest weight."""
        found = find_prompt(self.registry, tenant, prompt, version)
        label = label_view(prompt, found.label) if found.label else None
        return {**version_view(found.version_for(None)), "label": label}

    def versions(self, tenant: str, prompt: str, query: Mapping[str, str]) -> dict[str, Any]:
        """List a prompt's versions, the newest first."""
        find_prompt(self.registry, tenant, prompt, None)
        page = self.registry.list_versions(
            tenant, prompt, limit=page_size(query.get("limit")), cursor=query.get("cursor")
        )
        shown = [one.model_dump() for one in page.prompts]
        return {"id": prompt, "versions": shown, "next_cursor": page.cursor}

    def arms(self, tenant: str, prompt: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Show what runs came to, for each label and version; `label` narrows it to one."""
        find_prompt(self.registry, tenant, prompt, None)
        label = query.get("label")
        if label is not None:
            check_id("label", label, LABEL_PATTERN)
        found = [one for one in self.counts().arms(tenant, prompt) if label in {None, one.label}]
        return {"id": prompt, "arms": [arm_view(one) for one in found]}

    def diff(self, tenant: str, prompt: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Compare two versions; `to` is the newest by default."""
        if "from" not in query:
            raise InvalidRequest(
                "the version to compare with is missing.",
                field="from",
                fix=f"GET /prompts/{prompt}/diff?from=1.0.0&to=1.1.0",
            )
        sides = (query["from"], query.get("to", LATEST))
        old, new = (find_prompt(self.registry, tenant, prompt, one).version_for(None) for one in sides)
        return diff_view(old.definition, new.definition)


def arm_view(count: ArmCount) -> dict[str, Any]:
    """Show a count as the API does, with the averages of a run."""
    shown = {"label": count.label or None, "version": count.version, **count.sums}
    runs = max(1, count.runs)
    averages = {
        "success_rate": round(count.completed / runs, 4),
        "average_cost_usd_micros": round(count.cost_usd_micros / runs),
        "average_active_ms": round(count.active_ms / runs),
    }
    return {**shown, **averages}


def diff_view(old: PromptDefinition, new: PromptDefinition) -> dict[str, Any]:
    """Show what differs: the template by lines, variables by name, and other fields."""
    lines = unified_diff(
        old.template.splitlines(), new.template.splitlines(), old.version, new.version, lineterm=""
    )
    changed = [field for field in _COMPARED if getattr(old, field) != getattr(new, field)]
    names = sorted(old.variables.keys() | new.variables.keys())
    differ = [name for name in names if old.variables.get(name) != new.variables.get(name)]
    return {
        "id": old.id,
        "from": old.version,
        "to": new.version,
        "is_newer": version_order(new.version) > version_order(old.version),
        "changed": changed,
        "template": "\n".join(lines),
        "variables": {
            "added": [name for name in differ if name not in old.variables],
            "removed": [name for name in differ if name not in new.variables],
            "changed": [name for name in differ if name in old.variables and name in new.variables],
        },
    }
