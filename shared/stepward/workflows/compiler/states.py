"""Write the state of each kind of task in the Amazon States Language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from stepward.domain.retries import Retry
from stepward.workflows.program.limits import CRASHES_FORGIVEN, FAULTS_FORGIVEN, HEAL_S
from stepward.workflows.program.names import Part, state_name

State = dict[str, Any]
Named = tuple[str, State]

WAIT: Final = "wait"
"""The step in which the room makes the write of an await."""
TASK_RUN: Final = "${TaskRun}"
JOURNAL: Final = "${JournalTable}"
"""Filled in by names when the machine is made: an ARN in each state would take a large graph's last bytes."""
LONGEST_FILLED_CHARS: Final = 34
"""Of what is filled in: a stage has 16 characters at most."""
ROOM_S: Final = 310
"""Ten seconds more than the room may run, so that its own timeout is the one that is seen."""
STARTING_S: Final = 30
"""Of a function whose process is still to be made, with what it reads and writes around a task."""
SEEN_S: Final = 30
"""How long the room may take to see that the time of an awaited task is over: its process may have to start first."""
_CONTEXT: Final = "{% $states.context %}"
"""Whose run it is, how often the state was tried, and since when it is entered: said in one word, as each byte counts."""
_PK: Final = "{% $states.context.Execution.Input.pk %}"
TOKEN: Final = "{% $states.context.Task.Token %}"  # noqa: S105  an expression, not a secret
_PASSING: Final = {"ErrorEquals": ["States.ALL"]}
"""Three times, after pauses of 1, 2, 4 s: Step Functions' own defaults, for which a large graph has no bytes to spare."""
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
    """A task that its room carries out.

    However its attempts ended, one more is left to its room in which to keep that they failed. The room holds it to its
    own time; the state's is longer, for a function that hangs.
    """
    by_machine = retriers(retry) if retry.is_by_machine else []
    forgiven = {"MaxAttempts": CRASHES_FORGIVEN + retry.attempts} if by_machine else {}
    return {
        "Type": "Task",
        **({"Comment": comment} if comment else {}),
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": TASK_RUN, "Payload": payload(path, nested=nested, step=step)},
        "TimeoutSeconds": _patience_s(timeout_s, retry),
        "Retry": [FINAL, *by_machine, _PASSING | forgiven],
        "Output": passed_on(nested=nested),
    }


def _patience_s(timeout_s: int | None, retry: Retry) -> int:
    """Return how long a function may take for a task: all attempts that it makes itself, and its own start."""
    if timeout_s is None:
        return ROOM_S
    most_s = timeout_s if retry.is_by_machine else math.ceil(retry.longest_s(timeout_s))
    return min(ROOM_S, most_s + STARTING_S)


def awaited_state(
    path: str, *, nested: bool, comment: str = "", retry: Retry, timeout_s: int, asks_again: bool
) -> State:
    """A task that somebody else answers, by the token that the room is given.

    A time that is over is tried once more: the room then sees that it is over and keeps the failure, or begins another
    attempt where the task says so. How often the task is tried the room says by its marks; the machine only has to go
    along, a little further for words said twice.
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
    """Bound each try of an awaited state, and let the room see that a time is over: it may need more than a short time.

    Where the room makes no further attempt, all that follows the first try is seeing. Else a short time is tried more
    often, and each attempt after the first may be over twice: before the room has seen it, and after.
    """
    is_short, most = timeout_s < SEEN_S, 2 * attempts - 1
    if is_short and attempts == 1:
        bound = f"{{% $states.context.State.RetryCount > 0 ? {SEEN_S} : {timeout_s} %}}"
        return bound, {"ErrorEquals": ["States.Timeout"], "MaxAttempts": most}
    most += math.ceil(SEEN_S / (timeout_s + 1)) if is_short else 0
    steady = {"BackoffRate": 1} if most > 1 else {}
    return timeout_s, {"ErrorEquals": ["States.Timeout"], **steady, "MaxAttempts": most}


def items_state(path: str, max_parallel: int, body: dict[str, Any], *, nested: bool) -> Named:
    """Runs a body once for each item."""
    return state_name(path, Part.ITEMS), {
        "Type": "Map",
        "Comment": "Once for each item",
        "Items": "{% $states.input.items %}",
        "MaxConcurrency": max_parallel,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **body},
        "Output": passed_on(nested=nested),
    }


def payload(path: str, *, nested: bool, step: str | None) -> dict[str, Any]:
    """Return what the room is told."""
    return {
        **({"task": path} if path else {}),
        **({"at": "{% $states.input.at %}"} if nested else {}),
        **({"step": step} if step else {}),
        "context": _CONTEXT,
    }


def passed_on(*, nested: bool) -> Any:
    """Return what the next state is given: nothing, or within bodies which round it is."""
    return {"at": "{% $states.input.at %}"} if nested else {}


def retriers(retry: Retry) -> list[State]:
    """When the machine tries again: by the rule's own first pause, growth and cap, in whole seconds."""
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
    """Leave out of a Retrier what Step Functions takes when nothing is said."""
    return {name: value for name, value in rule.items() if _BY_DEFAULT.get(name) != value}


def await_state(name: str, latch: str, needs: list[str], *, nested: bool, timeout_s: int) -> State:
    """Waits for tasks that run elsewhere: one write, and no function.

    time →   all are done: the condition fails ─ Catch ─ go on     one is to come: the token is kept ─ its record frees us
    """
    names = {f"#{index}": f"r:{need}" for index, need in enumerate(needs)}
    sk = f"LATCH#{latch}"
    done = "DynamoDb.ConditionalCheckFailedException"
    again = math.ceil(timeout_s / HEAL_S) + FAULTS_FORGIVEN
    # Outside of bodies nobody reads what an await gives, which is next to nothing.
    said = {"Output": passed_on(nested=True)} if nested else {}
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
        "TimeoutSeconds": HEAL_S,
        "Retry": [
            {"ErrorEquals": [done], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"], "BackoffRate": 1, "MaxAttempts": again},
        ],
        "Catch": [{"ErrorEquals": [done], "Next": "", **said}],
        **said,
    }


def await_by_function(name: str, state: State, needs: Sequence[str]) -> State:
    """Turn an await into one of half the bytes: the room makes the write, for it knows whom the join needs.

    The rest stays: where it leads, what ends the run, when it asks again.
    """
    nested = "Output" in state
    told = {**payload("", nested=nested, step=WAIT), "join": name, "token": TOKEN}
    kept: State = {key: state[key] for key in ("TimeoutSeconds", "Output", "Next", "End") if key in state}
    caught = [one for one in state["Catch"] if "States.ALL" in one["ErrorEquals"]]
    return {
        "Type": "Task",
        "Comment": f"Waits for {', '.join(needs)}",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": TASK_RUN, "Payload": told},
        "Retry": state["Retry"][1:],
        **({"Catch": caught} if caught else {}),
        **kept,
    }


def finalize_state() -> State:
    """Ends the run by what its tasks' records say; of a run that failed it fails itself, and so the execution does."""
    return {
        "Type": "Task",
        "Comment": "Decides how the run ended, keeps it, and tells whoever waits for it",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": TASK_RUN,
            "Payload": {"step": "settle", "state": "{% $states.input %}", "fails": True, "context": _CONTEXT},
        },
        "TimeoutSeconds": ROOM_S,
        "Retry": [{"ErrorEquals": ["RunFailed"], "MaxAttempts": 0}, {**_PASSING, "MaxAttempts": 5}],
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }


def catch(following: str) -> State:
    """Leads a failure of any state to the settle state."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Next": following,
        "Output": {"failed": "{% $states.errorOutput %}"},
    }
