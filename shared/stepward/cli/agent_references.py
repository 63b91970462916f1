"""Looks up what an agent's file names, on a server that is there, before the agent is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stepward.sdk import ApiError, Stepward

Entry = dict[str, str]
_NOT_FOUND: Final = 404
_READY: Final = "READY"


def look_up(stepward: Stepward, unchecked: Iterable[Mapping[str, str]]) -> tuple[list[Entry], list[Entry]]:
    """Ask a server for each name.

    Args:
        stepward: The server.
        unchecked: What a definition names, as the checks without a server give it.

    Returns:
        What registering would refuse; and what it would not: what may still come, and what no route tells.

    Raises:
        ApiError: The server refuses to answer.
        Unreachable: It does not answer.
    """
    wrong, open_yet = list[Entry](), list[Entry]()
    for one in unchecked:
        kind = one["code"].removeprefix("unchecked-")
        ask = _ASKED.get(kind)
        if ask is None:
            open_yet.append(dict(one))
        elif fault := ask(stepward, one):
            told = {"code": f"unknown-{kind}", **fault}
            (open_yet if kind in _MAY_COME else wrong).append({**one, **told})
    return wrong, open_yet


def _agent(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name, version = one["name"], one.get("version")
    found = _found(lambda: stepward.agent(name, version=version))
    if found is None:
        which = f"version {version!r} of an agent {name!r}" if version else f"agent {name!r}"
        return {"detail": f"there is no {which}", "fix": "register it first, or name one of `agents ls`"}
    if found["state"] != _READY:
        return {"detail": f"the agent {name!r} is {found['state']}", "fix": "only one that is READY runs"}
    return None


def _workflow(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name, version = one["name"], one.get("version")
    number = None if version == "latest" else version
    if _found(lambda: stepward.workflows.show(name, version=number)) is not None:
        return None
    which = f"version {version} of a workflow {name!r}" if version else f"workflow {name!r}"
    return {"detail": f"there is no {which}", "fix": "register it before a run needs it"}


def _tool(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name = one["name"]
    if _found(lambda: stepward.tools.show(name)) is not None:
        return None
    return {"detail": f"no function {name!r} is published", "fix": "`stepward tools ls` lists those that are"}


def _model(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    if any(price["model"] == one["name"] for price in stepward.prices.list()):
        return None
    return {"detail": f"the model {one['name']!r} has no price"}


def _found(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None


_ASKED: Final[Mapping[str, Callable[[Stepward, Mapping[str, str]], Entry | None]]] = {
    "agent": _agent,
    "handoff": _agent,
    "workflow": _workflow,
    "tool": _tool,
    "model": _model,
}
_MAY_COME: Final = frozenset({"handoff", "workflow"})
"""What may be registered after the agent that names it."""
