"""The client that a program uses to register agents, start runs and follow them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx2

from stepward.domain.run_queue import Priority
from stepward.sdk.areas import Areas
from stepward.sdk.errors import StillRunning
from stepward.sdk.shapes import (
    AgentDetail,
    AgentPage,
    AgentState,
    Capability,
    Event,
    EventPage,
    Health,
    Readiness,
    Registration,
    Run,
    has_ended,
)
from stepward.sdk.transport import Transport, path_to, said
from stepward.sdk.workflow_shapes import RunPage

FIRST_POLL_S = 0.25
LONGEST_POLL_S = 2.0


class Stepward(Areas):
    """One stage of Stepward, seen with one API key; safe to share between threads.

    >>> with Stepward("http://127.0.0.1:8400", "sw_…") as stepward:  # doctest: +SKIP
    ...     run = stepward.start_run("support-refunds", {"ticket_id": "T-1001"})
    ...     print(stepward.wait(run["id"])["output"])
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout_s: float = 30.0,
        http: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        wire = Transport(url, api_key, timeout_s=timeout_s, http=http, sleep=sleep)
        super().__init__(wire, sleep, monotonic)

    @property
    def url(self) -> str:
        """Where this client sends its calls."""
        return self._wire.url

    def close(self) -> None:
        """Give the connections back; `with` does it by itself."""
        self._wire.close()

    def __enter__(self) -> Self:
        """Keep the connections for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connections back."""
        self.close()

    def register_agent(self, definition: Mapping[str, Any]) -> Registration:
        """Store one version of an agent; the same version with the same content again changes nothing."""
        return cast("Registration", self._wire.post("/agents", dict(definition)))

    def agents(
        self,
        *,
        capability: Capability | None = None,
        module: str | None = None,
        category: str | None = None,
        tag: str | None = None,
        state: AgentState | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AgentPage:
        """List the agents that can be started, or those of another state, a page at a time."""
        words = {"capability": capability, "module": module, "category": category, "tag": tag, "state": state}
        return cast("AgentPage", self._wire.get("/agents", {**words, "limit": limit, "cursor": cursor}))

    def agent(self, agent_id: str, *, version: str | None = None) -> AgentDetail:
        """Read an agent's definition: the newest version, or the one named by its number or a label."""
        return cast("AgentDetail", self._wire.get(path_to("agents", agent_id), {"version": version}))

    def start_run(  # noqa: PLR0913  what a start may say are its parameters
        self,
        agent: str,
        input: str | Mapping[str, Any],  # noqa: A002  the API's own word for it
        *,
        wait: int = 0,
        idempotency_key: str | None = None,
        version: str | None = None,
        deadline_s: int | None = None,
        priority: Priority | None = None,
        rehearse: bool | None = None,
        charge: bool | None = None,
        attachments: Sequence[str] = (),
    ) -> Run:
        """Start a run.

        Every start carries an idempotency key, so a repeat after a lost answer never starts a second run.

        Args:
            agent: Which agent.
            input: What it is to work on.
            wait: For how many seconds the call may wait for the answer, at most 25. Default: 0.
            idempotency_key: The same key starts one run only. Default: a new one.
            version: A version or a label. Default: the newest.
            deadline_s: How many seconds of active time it may take. Default, as of `priority`: what the agent says.
            priority: Its place among the runs that wait for a slot.
            rehearse: Whether the agent's rehearsal answers, or its model. Default: what the stage says.
            charge: Whether a rehearsed run draws on budgets and counts among the costs. Default: what the stage says.
            attachments: Keys of data files, as `data.put` writes them, that its model is shown before the input; 10 at most.

        Returns:
            The run, with its answer if that came in time.
        """
        body = {
            "input": input if isinstance(input, str) else dict(input),
            "version": version,
            "deadline_s": deadline_s,
            "priority": priority,
            "rehearse": rehearse,
            "charge": charge,
            "attachments": list(attachments) or None,
        }
        path = path_to("agents", agent, "runs")
        return cast("Run", self._wire.post_once(path, said(body), idempotency_key, wait=wait))

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
            status: Only those that stand so, such as FAILED. A page may then be short, even empty, and have a next.
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
        """Read one run with its input and, once it has ended, its output."""
        return cast("Run", self._wire.get(path_to("runs", run_id)))

    def events(self, run_id: str, *, after: int | str | None = None, limit: int | None = None) -> EventPage:
        """Read the events after a cursor: an event's `seq` or `id`, or the `next` of the page before."""
        return cast(
            "EventPage", self._wire.get(path_to("runs", run_id, "events"), {"after": after, "limit": limit})
        )

    def follow(self, run_id: str, *, after: int | str | None = None) -> Iterator[Event]:
        """Give each event of a run as it comes, until the run has ended; asks less often while nothing happens."""
        pause_s = FIRST_POLL_S
        while True:
            page = self.events(run_id, after=after)
            yield from page["events"]
            if _holds_the_end(page):
                return
            after = page["next"]
            pause_s = FIRST_POLL_S if page["events"] else min(pause_s * 1.5, LONGEST_POLL_S)
            if not page["ended"]:
                self._sleep(pause_s)

    def wait(self, run_id: str, timeout_s: float = 300.0) -> Run:
        """Return the run once it has ended, however it ended; raises `StillRunning` when the time is over."""
        give_up_at = self._monotonic() + timeout_s
        pause_s = FIRST_POLL_S
        while not has_ended(run := self.run(run_id)):
            left_s = give_up_at - self._monotonic()
            if left_s <= 0:
                raise StillRunning(
                    f"{run_id} is {run['status']} after {timeout_s:g} s.", "Wait again, or cancel it."
                )
            self._sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
        return run

    def cancel(self, run_id: str) -> Run:
        """Stop a run; one that has already ended is a `Conflict`."""
        return cast("Run", self._wire.post(path_to("runs", run_id, "cancel")))

    def health(self) -> Health:
        """Ask once whether the API answers; needs no key."""
        return cast("Health", self._wire.probe("/api/health"))

    def ready(self) -> Readiness:
        """Ask once whether the API can work; an unready stage is an answer here, not an error. Needs no key."""
        return cast("Readiness", self._wire.probe("/api/health/ready", good=frozenset({200, 503})))


def _holds_the_end(page: EventPage) -> bool:
    """Tell the last page: a run's state may lag behind its last event, and may be ahead of a page of old ones."""
    nothing_left = page["ended"] and not page["events"]
    return nothing_left or any(event["type"] == "agent.run.ended" for event in page["events"])
