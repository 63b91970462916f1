"""Pauses and resumes runs: a word in the journal that the run heeds after the step that it is at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.run_ports import RunPorts
from stepward.agents.show import find_run
from stepward.agents.writer import RunWriter
from stepward.domain.errors import Conflict, StoreConflict
from stepward.domain.journal import Pause, Resume
from stepward.domain.line import InLine, place_again
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunHead
from stepward.ports.tokens import RESUME_CALL

_ATTEMPTS: Final = 20


@dataclass(frozen=True)
class PauseRun:
    """The use case behind `POST /runs/{run_id}/pause`."""

    ports: RunPorts

    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """Ask a run to stand still; one that is in line leaves it, so that no slot is taken for nothing.

        time →   turn:   append(n+1) ✓                  cancel: append(n+1) ✓
                 we:     n+1 ✗ → look again → n+2 ✓     we:     n+1 ✗ → look again: cancelled → Conflict
        """
        head = find_run(self.ports.runtime, tenant, run)
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("pause"))
        writer.between_steps(lambda: self._hold(writer, by))
        return head.model_copy(update={"paused": True})

    def _hold(self, writer: RunWriter, by: str) -> None:
        key, state = writer.key, writer.state
        _check_open(state, "pause")
        if state.paused:
            raise Conflict(
                f"the run is paused already, by {state.paused.by} at {state.paused.at}.",
                field="run_id",
                fix=f"POST /runs/{key.run}/resume lets it go on",
            )
        self.ports.runtime.hold(key, state.seq + 1, writer.make(Pause, by=by), state.place)


@dataclass(frozen=True)
class ResumeRun:
    """The use case behind `POST /runs/{run_id}/resume`."""

    ports: RunPorts

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True)
    def __call__(self, tenant: str, run: str, by: str) -> RunHead:
        """Let a paused run go on: wake its machine, or give it back its place in line.

        time →   we: resume(n+1) ✓ ─ token? ─ wake       dispatch: token ✓ ─ still paused? ─ wake
                 whoever of the two comes second sees what the other has written, so the machine is always woken
        """
        head = find_run(self.ports.runtime, tenant, run)
        writer = RunWriter.open(self.ports, head.key, self.ports.ids.new("resume"))
        state = writer.state
        _check_open(state, "resume")
        if not state.paused:
            raise Conflict(
                "the run is not paused.", field="run_id", fix=f"POST /runs/{run}/pause makes it stand still"
            )
        waiting = self._in_line_again(head, state)
        record = writer.make(Resume, by=by, place=waiting.place if waiting else None)
        self.ports.runtime.release(head.key, state.seq + 1, record, waiting)
        wake_resumed(self.ports, head, record)
        return head.model_copy(update={"paused": False})

    def _in_line_again(self, head: RunHead, state: RunState) -> InLine | None:
        """The place of a run that was paused in line: as old as the one that it left."""
        if state.left_place is None:
            return None
        limit = 0 if state.parked else state.start.cost_limit_usd_micros or 0
        charged = state.start.charged
        draw = self.ports.first_draw(head.tenant, head.agent, limit, state.run_budgets, charged=charged)
        return InLine(
            tenant=head.tenant,
            run=head.run,
            place=place_again(state.left_place, state.seq + 1),
            seq=state.seq + 1,
            agent=head.agent,
            draw_usd_micros=draw.usd_micros if draw else 0,
            charged=charged,
            epoch=head.epoch,
        )


def wake_resumed(ports: RunPorts, head: RunHead, record: Resume) -> None:
    """Tell those who carry a resumed run on; safe to repeat, so that the janitor can make up for one who died."""
    token = ports.tokens.of(head.key, RESUME_CALL)
    if token:
        ports.machine.answer(token)
    if record.place:
        ports.nudges.send(head.tenant)


def _check_open(state: RunState, word: str) -> None:
    if state.end:
        raise Conflict(
            f"the run has ended as {state.end.status}.", field="run_id", fix=f"nothing is left to {word}"
        )
    if state.cancelled:
        raise Conflict(
            f"the run is being cancelled by {state.cancelled.by}.",
            field="run_id",
            fix=f"nothing is left to {word}",
        )
