"""The agent lifecycle as one table: the edges, what requests each, and its check.

CREATED → INITIALIZING → VALIDATING → VALIDATED → READY ⇄ EXECUTING → COMPLETED | FAILED → READY; any →
TERMINATED

Stored are the states up to READY, and TERMINATED. EXECUTING, COMPLETED and FAILED are views of READY by the
agent's newest run: they are derived from the runs and never written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import Conflict
from stepward.domain.runs import RunStatus


class AgentState(StrEnum):
    """A state of an agent's lifecycle."""

    CREATED = "CREATED"
    INITIALIZING = "INITIALIZING"
    VALIDATING = "VALIDATING"
    VALIDATED = "VALIDATED"
    READY = "READY"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TERMINATED = "TERMINATED"


class Check(StrEnum):
    """What must hold for an edge to be taken."""

    CONFIG = "config"
    """Settings, expressions and memory are supported."""
    RESOURCES = "resources"
    """The model has a price and a backend, and every tool is there and may be used in this stage."""
    DEPENDENCIES = "dependencies"
    """Every agent that it names is there and READY, and none leads back to it."""
    AVAILABLE = "available"
    """The version was stored: from now on it can be started."""
    INPUT = "input"
    """The run's input is valid."""
    RESULTS = "results"
    """The run ended with an answer."""
    ERROR = "error"
    """The run ended without one, and its journal says why."""
    RESET = "reset"
    """A completed run counts no longer."""
    RECOVERY = "recovery"
    """A failed run counts no longer."""
    CLEANUP = "cleanup"
    """It can no longer be found or started; its open runs continue to their end."""


class Edge(BaseModel):
    """One transition from a state to the next."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    start: AgentState
    end: AgentState
    trigger: str
    check: Check


WALK: Final = (
    Edge(start=AgentState.CREATED, end=AgentState.INITIALIZING, trigger="POST /agents", check=Check.CONFIG),
    Edge(
        start=AgentState.INITIALIZING,
        end=AgentState.VALIDATING,
        trigger="initialization complete",
        check=Check.RESOURCES,
    ),
    Edge(
        start=AgentState.VALIDATING,
        end=AgentState.VALIDATED,
        trigger="all checks pass",
        check=Check.DEPENDENCIES,
    ),
    Edge(
        start=AgentState.VALIDATED,
        end=AgentState.READY,
        trigger="validation complete",
        check=Check.AVAILABLE,
    ),
)
"""The edges that a registration walks."""

_RUNNING: Final = (
    Edge(
        start=AgentState.READY,
        end=AgentState.EXECUTING,
        trigger="POST /agents/{agent_id}/runs",
        check=Check.INPUT,
    ),
    Edge(
        start=AgentState.EXECUTING,
        end=AgentState.COMPLETED,
        trigger="execution success",
        check=Check.RESULTS,
    ),
    Edge(start=AgentState.EXECUTING, end=AgentState.FAILED, trigger="execution error", check=Check.ERROR),
    Edge(start=AgentState.COMPLETED, end=AgentState.READY, trigger="ready for the next", check=Check.RESET),
    Edge(start=AgentState.FAILED, end=AgentState.READY, trigger="error resolved", check=Check.RECOVERY),
)
_ENDING: Final = tuple(
    Edge(start=state, end=AgentState.TERMINATED, trigger="DELETE /agents/{agent_id}", check=Check.CLEANUP)
    for state in AgentState
    if state is not AgentState.TERMINATED
)
EDGES: Final = (*WALK, *_RUNNING, *_ENDING)
VIEWS: Final = frozenset({AgentState.EXECUTING, AgentState.COMPLETED, AgentState.FAILED})
"""States that are not stored but derived from the newest run."""


def edge(start: AgentState, end: AgentState) -> Edge:
    """Return the edge between two states; refuse where there is none, naming those there are."""
    for one in EDGES:
        if (one.start, one.end) == (start, end):
            return one
    raise Conflict(
        f"an agent does not go from {start} to {end}.",
        field="to",
        fix=f"from {start} it may go to {', '.join(following(start)) or 'no other state'}",
    )


def following(start: AgentState) -> tuple[str, ...]:
    """List the states that may follow one."""
    return tuple(one.end.value for one in EDGES if one.start is start)


def view_of(state: AgentState, newest: RunStatus | None, *, has_ended: bool) -> AgentState:
    """Return a stored state as the newest run shows it; cancelled runs do not count."""
    if state is not AgentState.READY or newest is None or newest is RunStatus.CANCELLED:
        return state
    if not has_ended:
        return AgentState.EXECUTING
    return AgentState.COMPLETED if newest is RunStatus.COMPLETED else AgentState.FAILED
