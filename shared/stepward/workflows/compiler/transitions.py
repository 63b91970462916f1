"""Write the states between the tasks of a state machine."""

from __future__ import annotations

from typing import Any, Final

from stepward.domain.retries import Retry
from stepward.domain.workflows import TaskDefinition
from stepward.workflows.compiler import states
from stepward.workflows.compiler.states import Named, State
from stepward.workflows.program.names import SETTLE, Part, state_name
from stepward.workflows.program.scopes import Node

_FIRST: Final = {"at": "step[0]"}
NEXT_STEP: Final = "{% { 'at': 'step[' & ($number($substringBefore($substringAfter($states.input.at, '['), ']')) + 1) & ']' } %}"


def begin(start: str) -> Named:
    """Return the first state, which sets step 0."""
    return state_name(start, Part.BEGINS), {
        "Type": "Pass",
        "Comment": "Counts the steps",
        "Output": _FIRST,
        "Next": start,
    }


def must_decide(task: TaskDefinition, bounded: frozenset[str]) -> bool:
    """Return whether the next task depends on a condition or on a number of visits."""
    return any(way.when is not None or way.to in bounded for way in task.next) or len(task.next) > 1


def leave(node: Node, *, decides: bool) -> list[Named]:
    """Return the states between a task and the next: one that counts, or two that decide."""
    task = node.task
    if not task.next:
        return []
    if not decides:
        return [
            (
                state_name(node.path, Part.LEAVES),
                {"Type": "Pass", "Output": NEXT_STEP, "Next": task.next[0].to},
            )
        ]
    ask = states.task_state(node.path, nested=True, step="decide", retry=Retry())
    ask["Output"] = "{% $states.result.Payload %}"
    return [(state_name(node.path, Part.DECIDES), ask), (state_name(node.path, Part.TO_NEXT), _choice(task))]


def _choice(task: TaskDefinition) -> State:
    targets = list(dict.fromkeys(way.to for way in task.next))
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": f"{{% $states.input.next = '{target}' %}}", "Next": target} for target in targets
        ],
        "Default": SETTLE,
        "Output": {"at": "{% $states.input.at %}"},
    }


def joined_up(begin_state: Named, linked: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge the states of all tasks into one list; those without a next one lead to the end."""
    laid: dict[str, State] = dict([begin_state])
    for part in linked:
        for name, state in part["States"].items():
            if state.pop("End", False):
                state["Next"] = SETTLE
            laid[name] = {**state, "Type": "Pass", "Next": SETTLE} if state["Type"] == "Succeed" else state
    return {"StartAt": begin_state[0], "States": {**laid, SETTLE: states.finalize_state()}}
