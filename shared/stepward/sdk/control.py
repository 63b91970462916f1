"""Runs under a program's hand: stand still, go on, go on otherwise, compare; and how the system stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from stepward.sdk.shapes import Run, RunStatus, RunTotals
from stepward.sdk.transport import Transport, path_to, said


class DiffSide(TypedDict):
    """One of two compared runs; a fork's totals are without the turns that it took over."""

    id: str
    status: RunStatus
    totals: RunTotals


class DiffFork(TypedDict):
    """Which side is the other's fork, from which turn, and the calls whose results were replaced."""

    side: Literal["left", "right"]
    turn: int
    results: list[str]


class RunDiff(TypedDict):
    """Where two runs part: `turns` are those that differ, each with `left` and `right` of what differs in it."""

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
    """How the tenant's part of the system stands; `in_line` counts by priority, and runs that come back as `resume`."""

    at: str
    active: int
    waiting: int
    in_line: dict[str, int]
    oldest_in_line_s: float | None
    slots: Slots
    account: AccountSlots


class RunControl:
    """What can be done with a run beside starting, following and cancelling it."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def pause(self, run_id: str) -> Run:
        """Let a run stand still after the step that it is at; paused twice, or ended, is a `Conflict`."""
        return cast("Run", self._wire.post(path_to("runs", run_id, "pause")))

    def resume(self, run_id: str) -> Run:
        """Let a paused run go on; one that is not paused is a `Conflict`."""
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
        """Start a run that goes on from a turn of another, with changes; `results` are new ones, by call.

        Every fork carries an idempotency key, so a repeat after a lost answer never starts a second one. Who answers it,
        and whether that is charged, is as in the other run, unless `rehearse` or `charge` say otherwise.
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
        return cast("Run", self._wire.post_once(path, said(body), idempotency_key, wait=wait))

    def diff(self, run_id: str, other: str, *, after: int | None = None) -> RunDiff:
        """Compare two runs, the first as `left`; `after` is the `next` of the answer before."""
        query = {"with": other, "after": after}
        return cast("RunDiff", self._wire.get(path_to("runs", run_id, "diff"), query))

    def status(self) -> SystemStatus:
        """Show who is active, who waits, who is in line, and which slots are free."""
        return cast("SystemStatus", self._wire.get("/system/status"))
