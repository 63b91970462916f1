"""What an editor shows beside the fields of a workflow."""

from __future__ import annotations

from typing import Final

OF_WORKFLOW: Final = {
    "id": "The workflow's name in addresses: small letters, digits and dashes.",
    "name": "What people call it.",
    "version": "Three numbers, as in 1.0.0. A version that is registered never changes.",
    "description": "What it is for.",
    "tags": "Words to find it by.",
    "input": "The JSON Schema of a run's input; without one anything goes.",
    "tasks": "The tasks, as a list, or as a mapping of their ids.",
    "start": "Makes the graph a state machine: it begins with this task and goes where `next` says.",
    "output": "What a run brings: a value with expressions. Without it, the outputs of the tasks that nobody needs.",
    "retry": "When a failed task is tried again, unless the task says it otherwise.",
    "on_error": "What a task's final failure does: `fail` ends the run, `continue` lets the others go on.",
    "allow_partial": "Tasks may fail: the run is then PARTIALLY_COMPLETED, unless an important one or most of them did.",
    "max_parallel": "How many tasks run at once at most.",
    "timeout_s": "How many seconds a run may take.",
    "priority": "How soon its runs, and those of its agents, leave the queue for a slot.",
    "cost_limit_usd": "What a run may cost at most, in dollars.",
    "policy": "What must be proved of the graph before a version is kept.",
    "dependencies": "Another way to say `needs`: {task: [tasks that it needs]}.",
    "error_handling": "Another way to say `on_error`, `allow_partial` and `retry`.",
}
OF_TASK: Final = {
    "id": "The task's name in expressions, as in $tasks.draft: letters, digits and _.",
    "type": "What kind of task it is; it may be left out where another field tells it.",
    "name": "What people call it.",
    "description": "What it does; it becomes the comment of its state.",
    "needs": "The tasks that must have ended before it starts.",
    "when": "An expression; if it is false the task is skipped.",
    "run_when": "Whether it runs when all tasks that it needs completed, when any did, or always.",
    "with": "Its inputs: values, and expressions in {% … %}.",
    "retry": "When a failed attempt is made again: a number of attempts, or a rule.",
    "on_error": "What its final failure does: `fail` ends the run, `continue` lets the others go on.",
    "fallback": "The output that stands in when it fails for good.",
    "timeout_s": "How many seconds it may take.",
    "priority": "1 to 10; the failure of a task of 8 or more fails the run.",
    "data": "What its output holds: `pii`, or `redacted` if nothing personal is left in it.",
    "compensate": "The task that undoes it when the run fails after it.",
    "next": "Where a state machine goes from here: the first way whose `when` holds.",
    "max_visits": "How often a state machine may come by.",
    "tasks": "The tasks within, as a list, or as a mapping of their ids.",
    "do": "The tasks within; one may stand for itself.",
    "outputs": "Where its output goes: {field: task.input}; the other task then needs this one.",
    "error_handling": "Another way to say `on_error`, `retry` and `fallback`.",
    "max_retries": "How often it is tried again.",
}
