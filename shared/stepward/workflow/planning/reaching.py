"""What a workflow may reach: whoever approves a new version wants to see what it may do that the last one could not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from stepward.domain.workflows import TaskDefinition, WorkflowDefinition

ANYBODY: Final = "anybody who may approve"


class Permissions(BaseModel):
    """Names, sorted."""

    model_config = ConfigDict(frozen=True)

    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


def permissions(definition: WorkflowDefinition) -> Permissions:
    """Gather all that its tasks may reach, those that undo others too."""
    found: dict[str, set[str]] = {name: set() for name in Permissions.model_fields}
    for task in every_task(definition.tasks):
        for kind, name in _of(task.type, task.settings):
            found[kind].add(name)
    return Permissions(**{kind: tuple(sorted(names)) for kind, names in found.items()})


def every_task(tasks: tuple[TaskDefinition, ...]) -> Iterator[TaskDefinition]:
    """Give all tasks, those of bodies and groups and those that undo others too."""
    ahead = list(reversed(tasks))
    while ahead:
        task = ahead.pop()
        yield task
        ahead.extend(reversed(task.tasks))
        if task.compensate:
            ahead.append(task.compensate)


def _of(kind: str, settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match kind:
        case "agent":
            yield "agents", _versioned(settings, "agent", "agent_id")
        case "subworkflow":
            yield "workflows", _versioned(settings, "workflow", "workflow_id")
        case "event":
            yield "events", str(settings.get("event"))
        case "tool":
            yield "tools", _said(settings, "tool", "tool_id")
            yield from _hosts(settings.get("config"))
        case "webhook" if settings.get("url"):
            yield "hosts", _host(str(settings["url"]))
        case "human":
            asked = [*settings.get("approvers", ()), *settings.get("escalate_to", ())]
            yield from (("people", str(name)) for name in asked or [ANYBODY])


def _hosts(config: Any) -> Iterator[tuple[str, str]]:
    """Read the addresses of a tool's configuration: where it calls, or where it may."""
    if isinstance(config, dict):
        allowed = config.get("allow")
        said = [config.get("url"), *(allowed if isinstance(allowed, list) else [])]
        yield from (("hosts", _host(one)) for one in said if isinstance(one, str))
        if isinstance(config.get("function"), str):
            yield "tools", f"lambda_function {config['function']}"


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _said(settings: dict[str, Any], *names: str) -> str:
    return str(next((settings[name] for name in names if name in settings), ""))


def _versioned(settings: dict[str, Any], *names: str) -> str:
    """Name an agent or workflow with the version that is asked for: another version may do other things."""
    version = settings.get("version")
    return _said(settings, *names) + (f"@{version}" if version else "")
