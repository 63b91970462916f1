"""Write the states of tasks, and those between the tasks of a state machine, in ASL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from stepward.domain.retries import Retry
from stepward.domain.workflows import TaskDefinition
from stepward.workflows.program.limits import AWAIT_FAULT_RETRIES, AWAIT_RETRY_S, CRASH_RETRIES
from stepward.workflows.program.names import SETTLE, Part, state_name
from stepward.workflows.program.scopes import Node

State = dict[str, Any]
Named = tuple[str, State]
WAIT: Final = "wait"
"""The step in which the function makes the write of an await."""
TASK_RUN: Final = "${TaskRun}"
JOURNAL: Final = "${JournalTable}"
"""Replaced by a name when the machine is made: an ARN in each state would take too many bytes."""
LONGEST_FILLED_CHARS: Final = 34
"""The longest name that is filled in: a stage has 16 characters at most."""
FUNCTION_LIMIT_S: Final = 310
"""Ten seconds more than the function may run, so that its own timeout is the one that is seen."""
STARTING_S: Final = 30
"""Seconds of a function's cold start, with what it reads and writes around a task."""
SEEN_S: Final = 30
"""Seconds in which the function, with a cold start, sees that an awaited task is out of time."""
_CONTEXT: Final = "{% $states.context %}"
"""The run, the number of retries and the time of entry, by one expression, as each byte counts."""
_PK: Final = "{% $states.context.Execution.Input.pk %}"
TOKEN: Final = "{% $states.context.Task.Token %}"  # noqa: S105  an expression, not a secret
_PASSING: Final = {"ErrorEquals": ["States.ALL"]}
"""Three retries after 1, 2 and 4 s: Step Functions' defaults, which need no bytes."""
_BY_DEFAULT: Final = {"IntervalSeconds": 1, "BackoffRate": 2}
FINAL: Final = {"ErrorEquals": ["TaskFailed", "Bug"], "MaxAttempts": 0}


def task_state(
    path: str,
    *,
    nested: bool,
    step: str | None = None,
    comment: str = "",
    retry: Retry,
    timeout_s: int | None = None,
) -> State:
    """Return the state of a task that the function executes.

    However its attempts end, one more is left in which the function records the failure. The function enforces the
    task's time; the state's is longer, for a function that hangs.
    """
    by_machine = retriers(retry) if retry.is_by_machine else []
    forgiven = {"MaxAttempts": CRASH_RETRIES + retry.attempts} if by_machine else {}
    return {
        "Type": "Task",
        **({"Comment": comment} if comment else {}),
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": TASK_RUN, "Payload": payload(path, nested=nested, step=step)},
        "TimeoutSeconds": _patience_s(timeout_s, retry),
        "Retry": [FINAL, *by_machine, _PASSING | forgiven],
        "Output": next_input(nested=nested),
    }


def _patience_s(timeout_s: int | None, retry: Retry) -> int:
    """Return how long a function may take for a task: all its own attempts, and its start."""
    if timeout_s is None:
        return FUNCTION_LIMIT_S
    most_s = timeout_s if retry.is_by_machine else math.ceil(retry.longest_s(timeout_s))
    return min(FUNCTION_LIMIT_S, most_s + STARTING_S)


def awaited_state(
    path: str, *, nested: bool, comment: str = "", retry: Retry, timeout_s: int, asks_again: bool
) -> State:
    """Return the state of a task that is answered by its token.

    A timeout is retried once: the function then sees that the time is over and records the failure, or begins another
    attempt where the task allows it. The function decides by its marks how often the task is tried; the machine allows
    a few retries more, for answers that come twice.
    """
    bound, over = _time_is_over(timeout_s, retry.attempts if asks_again else 1)
    state = task_state(path, nested=nested, comment=comment, retry=retry)
    state["Resource"] += ".waitForTaskToken"
    state["Arguments"]["Payload"]["token"] = TOKEN
    state["TimeoutSeconds"] = bound
    again = [_spare({**one, "MaxAttempts": retry.attempts + 2}) for one in retriers(retry)]
    state["Retry"] = [FINAL, over, *again, _PASSING]
    return state


def _time_is_over(timeout_s: int, attempts: int) -> tuple[int | str, State]:
    """Return the time limit of each try of an awaited state, and the retrier of its timeouts.

    The function must see that a time is over, which may take longer than a short time. Where it makes no further
    attempt, every try after the first is only for that. Else a short time is tried more often, and each attempt after
    the first may time out twice: before the function has seen it, and after.
    """
    is_short, most = timeout_s < SEEN_S, 2 * attempts - 1
    if is_short and attempts == 1:
        bound = f"{{% $states.context.State.RetryCount > 0 ? {SEEN_S} : {timeout_s} %}}"
        return bound, {"ErrorEquals": ["States.Timeout"], "MaxAttempts": most}
    most += math.ceil(SEEN_S / (timeout_s + 1)) if is_short else 0
    steady = {"BackoffRate": 1} if most > 1 else {}
    return timeout_s, {"ErrorEquals": ["States.Timeout"], **steady, "MaxAttempts": most}


def items_state(path: str, max_parallel: int, body: dict[str, Any], *, nested: bool) -> Named:
    """Return the Map that runs a body once for each item."""
    return state_name(path, Part.ITEMS), {
        "Type": "Map",
        "Comment": "Once for each item",
        "Items": "{% $states.input.items %}",
        "MaxConcurrency": max_parallel,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **body},
        "Output": next_input(nested=nested),
    }


def payload(path: str, *, nested: bool, step: str | None) -> dict[str, Any]:
    """Return the payload of the function."""
    return {
        **({"task": path} if path else {}),
        **({"at": "{% $states.input.at %}"} if nested else {}),
        **({"step": step} if step else {}),
        "context": _CONTEXT,
    }


def next_input(*, nested: bool) -> Any:
    """Return the next state's input: nothing, or within bodies the iteration."""
    return {"at": "{% $states.input.at %}"} if nested else {}


def retriers(retry: Retry) -> list[State]:
    """Return the machine's retriers by a rule's pauses, growth and cap, in whole seconds."""
    if retry.attempts == 1:
        return []
    pauses = retry.machine_pauses
    rule = {
        "ErrorEquals": ["TaskRetry"],
        "IntervalSeconds": pauses.first_s,
        "BackoffRate": pauses.factor,
        "MaxAttempts": retry.attempts - 1,
        **({"MaxDelaySeconds": pauses.longest_s} if pauses.longest_s else {}),
        **({"JitterStrategy": "FULL"} if pauses.is_jittered else {}),
    }
    return [_spare(rule)]


def _spare(rule: State) -> State:
    """Leave out of a retrier what Step Functions has as its default."""
    return {name: value for name, value in rule.items() if _BY_DEFAULT.get(name) != value}


def await_state(name: str, latch: str, needs: list[str], *, nested: bool, timeout_s: int) -> State:
    """Return the state that waits for tasks elsewhere, by one write and without a function.

    time →   all are done: the condition fails ─ Catch ─ go on     one is to come: the token is kept ─ its record frees us
    """
    names = {f"#{index}": f"r:{need}" for index, need in enumerate(needs)}
    sk = f"LATCH#{latch}"
    done = "DynamoDb.ConditionalCheckFailedException"
    again = math.ceil(timeout_s / AWAIT_RETRY_S) + AWAIT_FAULT_RETRIES
    # Outside of bodies the output of an await, which is small, is not read.
    said = {"Output": next_input(nested=True)} if nested else {}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Arguments": {
            "TableName": JOURNAL,
            "Key": {
                "pk": {"S": _PK},
                "sk": {"S": f"{{% '{sk}@' & $states.input.at %}}" if nested else sk},
            },
            "UpdateExpression": "SET #w = :w",
            "ConditionExpression": " OR ".join(f"attribute_not_exists({one})" for one in names),
            "ExpressionAttributeNames": {"#w": f"w:{name}", **names},
            "ExpressionAttributeValues": {":w": {"S": TOKEN}},
        },
        "TimeoutSeconds": AWAIT_RETRY_S,
        "Retry": [
            {"ErrorEquals": [done], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"], "BackoffRate": 1, "MaxAttempts": again},
        ],
        "Catch": [{"ErrorEquals": [done], "Next": "", **said}],
        **said,
    }


def await_by_function(name: str, state: State, needs: Sequence[str]) -> State:
    """Turn an await into one of half the bytes, whose write the function makes.

    The function knows which tasks the join needs. The rest stays: where it leads, what ends the run, when it asks again.
    """
    nested = "Output" in state
    sent = {**payload("", nested=nested, step=WAIT), "join": name, "token": TOKEN}
    kept: State = {key: state[key] for key in ("TimeoutSeconds", "Output", "Next", "End") if key in state}
    caught = [one for one in state["Catch"] if "States.ALL" in one["ErrorEquals"]]
    return {
        "Type": "Task",
        "Comment": f"Waits for {', '.join(needs)}",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": TASK_RUN, "Payload": sent},
        "Retry": state["Retry"][1:],
        **({"Catch": caught} if caught else {}),
        **kept,
    }


def finalize_state() -> State:
    """Return the last state, which ends the run by its records, and fails if the run failed."""
    return {
        "Type": "Task",
        "Comment": "Decides how the run ended, keeps it, and tells whoever waits for it",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": TASK_RUN,
            "Payload": {"step": "settle", "state": "{% $states.input %}", "fails": True, "context": _CONTEXT},
        },
        "TimeoutSeconds": FUNCTION_LIMIT_S,
        "Retry": [{"ErrorEquals": ["RunFailed"], "MaxAttempts": 0}, {**_PASSING, "MaxAttempts": 5}],
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }


def catch(following: str) -> State:
    """Return the catcher that leads the failure of any state to another."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Next": following,
        "Output": {"failed": "{% $states.errorOutput %}"},
    }


# Between the tasks of a state machine.
_FIRST: Final = {"at": "step[0]"}
NEXT_STEP: Final = "{% { 'at': 'step[' & ($number($substringBefore($substringAfter($states.input.at, '['), ']')) + 1) & ']' } %}"


def first_state(start: str) -> Named:
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


def states_between(node: Node, *, decides: bool) -> list[Named]:
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
    ask = task_state(node.path, nested=True, step="decide", retry=Retry())
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


def merged_states(begin_state: Named, linked: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge the states of all tasks into one list; those without a next one lead to the end."""
    laid: dict[str, State] = dict([begin_state])
    for part in linked:
        for name, state in part["States"].items():
            if state.pop("End", False):
                state["Next"] = SETTLE
            laid[name] = {**state, "Type": "Pass", "Next": SETTLE} if state["Type"] == "Succeed" else state
    return {"StartAt": begin_state[0], "States": {**laid, SETTLE: finalize_state()}}
