"""Start, list, follow, wait for and cancel runs, and parse their answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, Unpack, cast

from pydantic import TypeAdapter, ValidationError

from stepward.domain.run_queue import Priority
from stepward.sdk.errors import NoOutput
from stepward.sdk.polling import Poll
from stepward.sdk.shapes import Event, EventPage, Run, StartOptions, has_ended
from stepward.sdk.transport import Transport, path_to, start_options, without_none
from stepward.sdk.workflow_shapes import RunPage


class RunMethods:
    """Start, list, follow, wait for and cancel runs."""

    def __init__(
        self, wire: Transport, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._monotonic = monotonic

    def start_run(
        self,
        agent: str,
        input: str | Mapping[str, Any],  # noqa: A002  the API's own word for it
        *,
        wait: int = 0,
        idempotency_key: str | None = None,
        deadline_s: int | None = None,
        priority: Priority | None = None,
        attachments: Sequence[str] = (),
        **options: Unpack[StartOptions],
    ) -> Run:
        """Start a run.

        Every start carries an idempotency key, so a repeat after a lost answer never starts a second run.

        Args:
            agent: Which agent.
            input: What it is to work on.
            wait: For how many seconds the call may wait for the answer, at most 25. Default: 0.
            idempotency_key: The same key starts one run only. Default: a new one.
            deadline_s: How many seconds of active time it may take. Default, as of `priority`: what the agent says.
            priority: Its place among the runs that wait for a slot.
            attachments: Keys of data files, as `data.put` writes them, that its model is shown before the input; 10 at most.
            options: What a start of either kind may say: the fields of `stepward.sdk.shapes.StartOptions`.

        Returns:
            The run, with its answer if that came in time.
        """
        body = {
            "input": input if isinstance(input, str) else dict(input),
            "deadline_s": deadline_s,
            "priority": priority,
            "attachments": list(attachments) or None,
        }
        path = path_to("agents", agent, "runs")
        body = without_none(body) | start_options(options)
        return cast("Run", self._wire.post_once(path, body, idempotency_key, wait=wait))

    def runs(
        self,
        *,
        kind: Literal["agent", "workflow"] | None = None,
        agent: str | None = None,
        workflow: str | None = None,
        status: str | None = None,
        since: str | None = None,
        day: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> RunPage:
        """List runs of agents and workflows, newest first, a page at a time.

        Args:
            kind: Only those of agents, or of workflows.
            agent: Only those of this agent.
            workflow: Only those of this workflow.
            status: Only runs in this status, such as FAILED. A page may then be short, even empty, and have a `next_cursor`.
            since: Only those from then on: a day, an instant, or a span that counts back from now (90m, 24h, 7d).
            day: Only those of this UTC day, YYYY-MM-DD.
            limit: How many a page has, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page. A run's `kind` tells whose it is.

        Raises:
            ApiError: A value cannot be used; `field` names it.
        """
        query = {
            "kind": kind,
            "agent": agent,
            "workflow": workflow,
            "status": status,
            "since": since,
            "day": day,
            "limit": limit,
            "cursor": cursor,
        }
        return cast("RunPage", self._wire.get("/runs", query))

    def run(self, run_id: str) -> Run:
        """Return one run with its input and, once it has ended, its output.

        Args:
            run_id: The run's id, of an agent or a workflow.

        Returns:
            The run.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Run", self._wire.get(path_to("runs", run_id)))

    def events(self, run_id: str, *, after: int | str | None = None, limit: int | None = None) -> EventPage:
        """Return the events of a run after a cursor.

        Args:
            run_id: The run's id.
            after: An event's `seq` or `id`, or the `next` of the page before. Default: from the beginning.
            limit: Records a page, 1 to 100. Default: 100.

        Returns:
            The page; `next` is the cursor for the following one.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` for a cursor that is none.
        """
        return cast(
            "EventPage", self._wire.get(path_to("runs", run_id, "events"), {"after": after, "limit": limit})
        )

    def follow(self, run_id: str, *, after: int | str | None = None) -> Iterator[Event]:
        """Yield each event of a run as it comes, until the run has ended.

        Polls every 0.25 s, and down to every 2 s while nothing changes.

        Args:
            run_id: The run's id.
            after: Where to begin, as for `events`.

        Yields:
            The events, oldest first.

        Raises:
            ApiError: `NotFound`.
        """
        poll = Poll(self._sleep, self._monotonic)
        while True:
            page = self.events(run_id, after=after)
            yield from page["events"]
            if _holds_the_end(page):
                return
            after = page["next"]
            if not page["ended"]:
                poll.pause(after)

    def wait(self, run_id: str, timeout_s: float = 300.0) -> Run:
        """Return a run once it has ended, however it ended.

        Args:
            run_id: The run's id.
            timeout_s: Seconds to wait. Default: 300.

        Returns:
            The run with its output or error.

        Raises:
            StillRunning: The time is over; waiting again is safe.
            ApiError: `NotFound`.
        """
        poll = Poll(self._sleep, self._monotonic, timeout_s)
        while not has_ended(run := self.run(run_id)):
            poll.pause_for(run, (run["status"], run.get("totals")))
        return run

    def cancel(self, run_id: str) -> Run:
        """Cancel a run; what it has spent stays booked.

        Args:
            run_id: The run's id.

        Returns:
            The run.

        Raises:
            ApiError: `NotFound`, or `Conflict` if it has ended.
        """
        return cast("Run", self._wire.post(path_to("runs", run_id, "cancel")))


def _holds_the_end(page: EventPage) -> bool:
    """Return True for the last page.

    A run's state may lag behind its last event, and may be ahead of a page of old ones.
    """
    nothing_left = page["ended"] and not page["events"]
    return nothing_left or any(event["type"] == "agent.run.ended" for event in page["events"])


T = TypeVar("T")


def output_of(run: Mapping[str, Any], kind: type[T]) -> T:
    """Read a run's answer.

    An agent with an `output_schema` has its answer checked before its run ends; `MyModel.model_json_schema()` of pydantic
    makes such a schema.

    Args:
        run: A run that is COMPLETED, as `run`, `wait` and `start_run` return it.
        kind: What to read: a pydantic model, a dataclass, a `TypedDict`, or a plain type such as `list[int]`.

    Returns:
        The answer. An agent's is a text and is read as JSON, but where `kind` is `str`; a workflow's is a value already.

    Raises:
        NoOutput: The run has no answer, or it is none of this kind.

    Example:
        >>> output_of({"id": "run_1", "status": "COMPLETED", "output": '{"total": 42}'}, dict[str, int])
        {'total': 42}
    """
    if run.get("status") != "COMPLETED":
        raise NoOutput(f"{run.get('id')} is {run.get('status')}: only a run that is COMPLETED has an answer")
    answer = run.get("output")
    try:
        if isinstance(answer, str) and kind is not str:
            answer = json.loads(answer)
        return TypeAdapter(kind).validate_python(answer)
    except (ValidationError, ValueError) as error:
        raise NoOutput(
            f"the answer of {run.get('id')} is no {getattr(kind, '__name__', kind)}: {error}"
        ) from error
