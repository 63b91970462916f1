"""Who waits for a run, in a row: agents and workflows start each other, and each side names its own kind plainly.

Above an agent's run stands `helper` for an agent and `workflow:billing` for a workflow; above a workflow's run `billing`
for a workflow and `agent:helper` for an agent.
"""

from __future__ import annotations

_AGENT = "agent:"
_WORKFLOW = "workflow:"


def above_workflow(above_agent: tuple[str, ...]) -> tuple[str, ...]:
    """Name those above a workflow's run that an agent's run starts."""
    return _turned(above_agent, _AGENT, _WORKFLOW)


def above_agent(above_workflow: tuple[str, ...]) -> tuple[str, ...]:
    """Name those above an agent's run that a workflow's run starts."""
    return _turned(above_workflow, _WORKFLOW, _AGENT)


def _turned(names: tuple[str, ...], plain: str, marked: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(marked) if name.startswith(marked) else f"{plain}{name}" for name in names)
