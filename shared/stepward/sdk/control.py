"""Control runs: pause, resume, fork and compare them, and read the system's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from stepward.sdk.shapes import Run, RunStatus, RunTotals
from stepward.sdk.transport import Transport, path_to, without_none


class DiffSide(TypedDict):
    """One of two compared runs; a fork's totals are without the turns that it took over."""

    id: str
    status: RunStatus
    totals: RunTotals


class DiffFork(TypedDict):
    """Which side is the other's fork, from which turn, and which results were replaced."""

    side: Literal["left", "right"]
    turn: int
    results: list[str]


class RunDiff(TypedDict):
    """The difference of two runs; `turns` are those that differ, with `left` and `right`."""

    left: DiffSide
    right: DiffSide
    fork: DiffFork | None
    start: dict[str, dict[str, Any]]
    first_difference: int | None
    turns: list[dict[str, Any]]
    next: int | None


class Slots(TypedDict):
    """How many runs of the tenant may be active, and how many more now."""

    limit: int
    free: int


class AccountSlots(TypedDict):
    """How many runs of all tenants are active, and may be."""

    active: int
    limit: int


class SystemStatus(TypedDict):
    """Status of the tenant; `in_line` counts the run queue by priority."""

    at: str
    active: int
    waiting: int
    in_line: dict[str, int]
    oldest_in_line_s: float | None
    slots: Slots
    account: AccountSlots


class RunControl:
    """Pause, resume, fork and compare runs: `stepward.control`.

    Example:
        >>> stepward.control.status()["slots"]["limit"] > 0
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def pause(self, run_id: str) -> Run:
        """Pause a run after the step that it is at; it gives its slot back.

        Args:
            run_id: The run's id.

        Returns:
            The run.

        Raises:
            ApiError: `Conflict` if it is paused or has ended.
        """
        return cast("Run", self._wire.post(path_to("runs", run_id, "pause")))

    def resume(self, run_id: str) -> Run:
        """Resume a paused run.

        Args:
            run_id: The run's id.

        Returns:
            The run.

        Raises:
            ApiError: `Conflict` if it is not paused.
        """
        return cast("Run", self._wire.post(path_to("runs", run_id, "resume")))

    def fork(  # noqa: PLR0913  what a fork may say are its parameters
        self,
        run_id: str,
        turn: int,
        *,
        prompt: str | None = None,
        model: str | None = None,
        results: Mapping[str, Any] | None = None,
        rehearse: bool | None = None,
        charge: bool | None = None,
        wait: int = 0,
        idempotency_key: str | None = None,
    ) -> Run:
        """Start a run that goes on from a turn of another one.

        Every fork carries an idempotency key, so a repeat after a lost answer never starts a second one.

        Args:
            run_id: The run to fork; it need not have ended.
            turn: The last turn to keep, from 1.
            prompt: Another prompt for the agent of that turn.
            model: Another model for that agent.
            results: Other results by call id, 64 KB each.
            rehearse: Whether rehearsals answer, or models. Default: as in the other run.
            charge: Whether a rehearsed run is charged. Default: as in the other run.
            wait: Seconds that the call may wait for the end, at most 25. Default: 0.
            idempotency_key: The same key forks once. Default: a new one.

        Returns:
            The new run.

        Raises:
            ApiError: `InvalidRequest` for a turn or a call that is not there; `NotFound`.
        """
        body = {
            "turn": turn,
            "prompt": prompt,
            "model": model,
            "results": dict(results) if results else None,
            "rehearse": rehearse,
            "charge": charge,
        }
        path = path_to("runs", run_id, "fork")
        return cast("Run", self._wire.post_once(path, without_none(body), idempotency_key, wait=wait))

    def diff(self, run_id: str, other: str, *, after: int | None = None) -> RunDiff:
        """Compare two runs, turn by turn.

        Args:
            run_id: The left run.
            other: The right run.
            after: The `next` of the answer before. Default: from the first turn.

        Returns:
            The turns that differ, and both totals.

        Raises:
            ApiError: `NotFound`.
        """
        query = {"with": other, "after": after}
        return cast("RunDiff", self._wire.get(path_to("runs", run_id, "diff"), query))

    def status(self) -> SystemStatus:
        """Return who is active, waiting and in the run queue, and which slots are free.

        Returns:
            The status of the tenant; of the account only its sum and limit.
        """
        return cast("SystemStatus", self._wire.get("/system/status"))
