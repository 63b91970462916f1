"""The tasks of a `Flow`: their outputs, and the tasks that their expressions need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from stepward.sdk.errors import BadCall
from stepward.sdk.flow_values import Reference, jsonata, plain, references_in, variable

_AFTER_A_ROUND: Final = ("collect", "until")


class Scope:
    """Tasks that can refer to each other: the flow's own, or those of one group or body."""

    def __init__(self, owner: Container | None, around: Scope | None) -> None:
        self.owner = owner
        self.around = around
        self.is_open = True
        self.is_machine = False
        self.tasks: dict[str, Task] = {}

    def taken(self, task_id: str) -> bool:
        """Return True if the id already names a task that expressions here can refer to."""
        return task_id in self.tasks or (self.around is not None and self.around.taken(task_id))


class Task:
    """One task of a flow, as its methods such as `Flow.transform` return it.

    Args:
        scope: The tasks that can refer to it.
        task_id: The task's id.
        fields: Its fields, as the document has them.

    Example:
        >>> task = Flow("billing-flow", version="1.0.0").transform("total", output=1)
        >>> str(task.status)
        '$status.total'
    """

    def __init__(self, scope: Scope, task_id: str, fields: dict[str, Any]) -> None:
        self.scope = scope
        self.id = task_id
        self.fields = fields
        self.needs: list[str] = []

    @property
    def output(self) -> Reference:
        """Its output."""
        return Reference(lambda: f"$tasks.{self.reference_name()}")

    @property
    def status(self) -> Reference:
        """Its final status: COMPLETED, FAILED or SKIPPED."""
        return Reference(lambda: f"$status.{self.reference_name()}")

    @property
    def error(self) -> Reference:
        """Its error: `code` and `detail`."""
        return Reference(lambda: f"$errors.{self.reference_name()}")

    def leads_to(self, *next_ones: Way) -> None:
        """Set where a state machine goes after this task: the first entry whose `when` holds.

        Args:
            next_ones: Tasks, ids, or `goto(…)`.

        Raises:
            BadCall: An entry is none of these.
        """
        self.fields["next"] = ways(next_ones)

    def undone_by(self, undo: Mapping[str, Any]) -> None:
        """Set the task that undoes this one if the run fails after it.

        Args:
            undo: As `step(…)` makes it; it may refer to this task's output.

        Raises:
            BadCall: A value is not JSON.
        """
        self.fields["compensate"] = plain(undo)

    def reference_name(self) -> str:
        """Return the name by which the flow refers to the task here.

        Once its group is closed, that is through the group.

        Returns:
            Its id, after those of the closed groups around it, with dots between.

        Raises:
            BadCall: It runs many times, within a body that is closed.
        """
        names, scope = [self.id], self.scope
        while not scope.is_open and scope.owner is not None and scope.around is not None:
            if not isinstance(scope.owner, Parallel):
                raise BadCall(
                    f"{self.id!r} runs within {scope.owner.id!r}, many times, and is not seen outside of it.",
                    f"Set the value of each iteration within it by `collect`, and use `{scope.owner.id}.output`.",
                )
            names.insert(0, scope.owner.id)
            scope = scope.around
        return ".".join(names)

    def need(self, name: str) -> None:
        """Wait for another task; a repeat changes nothing."""
        if name not in self.needs:
            self.needs.append(name)

    spelled = reference_name
    """The earlier name."""

    def need_task(self, other: Task) -> None:
        """Wait for a task, or let the body that this one is in wait for it."""
        name = other.reference_name()
        waiter = self._sibling_of(name.partition(".")[0])
        if waiter is not None:
            waiter.need(name)

    def need_mentioned(self) -> None:
        """Wait for the tasks that the expressions refer to.

        In a state machine the transitions give the order, so nothing is waited for.
        """
        for name in self.mentioned():
            waiter = self._sibling_of(name)
            if waiter is not None and waiter.id != name and not waiter.scope.is_machine:
                waiter.need(name)

    def mentioned(self) -> Iterator[str]:
        """Yield the ids of the tasks that this one's expressions refer to.

        `next` is left out: transitions are evaluated after the task.
        """
        return references_in([value for field, value in self.fields.items() if field != "next"])

    def _sibling_of(self, name: str) -> Task | None:
        """Return this task, or the nearest container of it, that is a sibling of the named one."""
        waiter: Task = self
        while name not in waiter.scope.tasks:
            if waiter.scope.owner is None:
                return None
            waiter = waiter.scope.owner
        return waiter

    def document(self) -> dict[str, Any]:
        """Return the task as the document has it."""
        needs = {"needs": list(self.needs)} if self.needs else {}
        return {"id": self.id, "type": self.fields["type"], **needs, **self.fields}

    def __repr__(self) -> str:
        """Return the task's id in brackets."""
        return f"<task {self.id}>"


class Branch:
    """One answer of a condition; a task that needs it runs only if that is the answer."""

    def __init__(self, condition: Condition, field: str) -> None:
        self.condition = condition
        self.field = field

    def lead_to(self, task: Task) -> None:
        """Make a task depend on the answer."""
        if task.scope is not self.condition.scope:
            fix = "Use `when=` there, or let the body itself need it."
            raise BadCall(f"{task.id!r} is not in the same body as {self.condition.id!r}.", fix)
        listed = self.condition.fields.setdefault(self.field, [])
        if task.id not in listed:
            listed.append(task.id)


class Condition(Task):
    """A condition; tasks need its answer by `needs=[big.then]` or `needs=[big.otherwise]`."""

    @property
    def then(self) -> Branch:
        """The answer true."""
        return Branch(self, "then")

    @property
    def otherwise(self) -> Branch:
        """The answer false."""
        return Branch(self, "otherwise")


class Container(Task):
    """A task with tasks within."""

    inner: Scope

    def document(self) -> dict[str, Any]:
        """Return the task with its inner tasks."""
        return {**super().document(), "tasks": [task.document() for task in self.inner.tasks.values()]}


class Parallel(Container):
    """A group: needing it means needing all of its tasks; its output has theirs by id."""


class Body(Container):
    """A task whose tasks run many times."""

    def mentioned(self) -> Iterator[str]:
        """Leave out what is evaluated after an iteration of the inner tasks."""
        asked = {name: value for name, value in self.fields.items() if name not in _AFTER_A_ROUND}
        later = {name: value for name, value in self.fields.items() if name in _AFTER_A_ROUND}
        yield from references_in({**asked, "next": None})
        yield from (name for name in references_in(later) if name not in self.inner.tasks)

    def collect(self, value: Any) -> None:
        """Set what a round brings. Default: the outputs of its last tasks.

        Args:
            value: A value with expressions in it.

        Raises:
            BadCall: The value is not JSON.
        """
        self.fields["collect"] = plain(value)


class Foreach(Body):
    """Tasks for each item of a list."""

    item: Final = variable("item")
    index: Final = variable("index")


class Loop(Body):
    """Tasks that run until something holds; `previous` has the last round's outputs, by id."""

    iteration: Final = variable("iteration")
    previous: Final = variable("previous")

    def until(self, question: str | Reference) -> None:
        """Stop once this holds after a round.

        Args:
            question: An expression that is true or false.

        Raises:
            BadCall: The expression is empty.
        """
        self.fields["until"] = jsonata(question)


Way: TypeAlias = Task | str | Mapping[str, Any]
"""Where a state machine goes next: a task, its id, or `goto(task, when=…)`."""


def goto(task: Task | str, *, when: str | Reference | None = None) -> dict[str, Any]:
    """Lead a state machine on, always or only when something holds.

    Args:
        task: The next task, or its id.
        when: An expression that is true or false. Default: always.

    Returns:
        An entry of `next`.

    Raises:
        BadCall: The expression is empty.

    Example:
        >>> goto("review", when="$status.draft = 'COMPLETED'")
        {'to': 'review', 'when': "{% $status.draft = 'COMPLETED' %}"}
    """
    to = task.id if isinstance(task, Task) else task
    return {"to": to, **({} if when is None else {"when": jsonata(when)})}


def ways(given: Any) -> list[dict[str, Any]]:
    """Convert transitions to a document's entries of `next`."""
    return [plain(one) if isinstance(one, Mapping) else goto(one) for one in as_list(given)]


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and a single value as a list of one."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
