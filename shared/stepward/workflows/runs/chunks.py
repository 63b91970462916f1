"""Run a large foreach in chunks, an execution for each range of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.chunks import Chunk, chunk_key
from stepward.domain.errors import Bug, RunCancelled, TaskFailed, TaskRetry
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import TaskKey, TaskRecord, TaskStatus, WorkflowHead
from stepward.ports.clock import iso
from stepward.ports.tasks import Begun, LatchKey, RunSnapshot
from stepward.workflows.program.names import round_of
from stepward.workflows.runs.attempts import newest
from stepward.workflows.runs.finalize import reported_error
from stepward.workflows.runs.run_store import WorkflowPorts, completed, failed
from stepward.workflows.runs.task_entry import wake
from stepward.workflows.runs.task_requests import TaskRequest

MOST_EXECUTIONS: Final = 3
"""How often a chunk is started; outcomes of items are kept, so each start does only the rest."""


@dataclass(frozen=True)
class RunChunk:
    """Starts a chunk's execution, records its outcome, and restarts it if it died."""

    ports: WorkflowPorts

    def begin(self, request: TaskRequest) -> dict[str, Any]:
        """Start the chunk, or return its outcome when the state that waits for it is retried.

        time →   first: mark names the execution ✓ ─ ✗ dies       again: the mark names it: started by that name, once
                 settle: record ✓ ─ token? ─ wake                 we: token ✓ ─ started ─ record? ─ wake
        """
        key, place = request.run.key, self._place(request)
        snapshot = self._look(key, place)
        if snapshot.cancelled_by:
            raise TaskFailed(f"{RunCancelled.__name__}: {snapshot.cancelled_by} cancelled the run")
        assert request.token is not None
        if not self.ports.tokens.keep(key, str(place), request.token, request.made):
            return {}  # the machine has given this token up for a newer one
        if place not in snapshot.records:
            self._carry_on(request, place, snapshot)
        return self._look_again(request, place)

    def _carry_on(self, request: TaskRequest, place: TaskKey, snapshot: RunSnapshot) -> None:
        """Start the chunk's latest execution, or the next one if that ended without an outcome."""
        key = request.run.key
        head = self._open_head(key)
        chunk = self._chunk(request, self._mark(key, place, newest(snapshot.begun.get(place, ()))))
        if request.tries and self.ports.machines.execution_status(head, chunk) == "over":
            self._after_death(key, chunk, "its execution is over and recorded no outcome.")
            chunk = self._chunk(request, self._newest_mark(key, place))
        if self._look(key, place).records:
            return
        self.ports.machines.start(head, chunk)
        self._stop_late(key, chunk)

    def _stop_late(self, key: RunKey, chunk: Chunk) -> None:
        """Stop an execution that was started for a run that ended meanwhile.

        time →   we: mark ✓ ─ start ✓ ─ head? ended → stop         end: head ✓ ─ reads marks ─ stops what they name
        """
        head = self.ports.runs.head(key)
        if head and head.ended:
            self.ports.machines.stop(head, RunCancelled.__name__, "the run has ended", chunk.name)

    def _look_again(self, request: TaskRequest, place: TaskKey) -> dict[str, Any]:
        """Answer the token if the outcome was recorded before the token was stored."""
        now = self._look(request.run.key, place)
        if place in now.records:
            self._wake(request.run.key, place, now.records[place])
        return {}

    def finish(self, key: RunKey, chunk: Chunk, failure: Mapping[str, Any] | None) -> dict[str, Any]:
        """Record how the items went and wake the run: the last state of the chunk's execution."""
        error = reported_error(failure) if failure is not None else None
        return {"status": self._keep(key, chunk, error).status.value}

    def died(self, key: RunKey, chunk: Chunk, detail: str) -> str:
        """Restart a chunk whose execution was stopped or ran out of time or history.

        time →   execution: ✗ ─ event ─ next attempt marked ✓ ─ refuse     state: entered again ─ finds the mark ─ starts it

        Returns:
            The state of the chunk or the run, for the log.
        """
        head = self.ports.runs.head(key)
        if head is None or head.ended:
            return "the run has ended"
        self._after_death(key, chunk, detail)
        snapshot = self._look(key, chunk.key)
        if record := snapshot.records.get(chunk.key):
            self._wake(key, chunk.key, record)
            return record.status.value
        token = self.ports.tokens.of(key, str(chunk.key))
        if token:
            self.ports.machines.refuse(token, TaskRetry.__name__, f"the chunk is started again: {detail}")
        return "started again"

    def _after_death(self, key: RunKey, chunk: Chunk, detail: str) -> None:
        """Mark the next execution, or record the failure after the last; safe to repeat."""
        if chunk.attempt < MOST_EXECUTIONS:
            self._mark_attempt(key, chunk.key, chunk.attempt + 1)
        else:
            self._keep(key, chunk, RunError(code="ChunkStopped", detail=detail))

    def _keep(self, key: RunKey, chunk: Chunk, error: RunError | None) -> TaskRecord:
        """Record the chunk's outcome, of which the first stays, then wake the state that waits.

        time →   settle: record ✓ ─ ✗ dies           again: the record is there ─ wakes
                 settle: record ✓ ─ no token yet      begin: token ✓ ─ record? ─ wakes itself
        """
        place, now = chunk.key, iso(self.ports.clock.now())
        marks = self._look(key, place).begun.get(place, ())
        since = marks[0].at if marks else now
        record = (
            completed(None, attempt=chunk.attempt, started_at=since, ended_at=now)
            if error is None
            else failed(error, attempt=chunk.attempt, started_at=since, ended_at=now)
        )
        kept, _ = self.ports.store.keep(key, LatchKey(place.path, place.at), place.path, record)
        self._wake(key, place, kept)
        return kept

    def _wake(self, key: RunKey, place: TaskKey, record: TaskRecord) -> None:
        token = self.ports.tokens.of(key, str(place))
        if token:
            wake(self.ports, token, record, fails=record.status is TaskStatus.FAILED)

    def _place(self, request: TaskRequest) -> TaskKey:
        assert request.chunk is not None
        return chunk_key(request.task, _rounds(request), request.chunk.first)

    def _chunk(self, request: TaskRequest, mark: Begun) -> Chunk:
        assert request.chunk is not None
        return Chunk(
            task=request.task,
            rounds=_rounds(request),
            first=request.chunk.first,
            last=request.chunk.last,
            attempt=mark.attempt,
            name=mark.child or "",
        )

    def _mark(self, key: RunKey, place: TaskKey, found: Begun | None) -> Begun:
        return found or self._mark_attempt(key, place, 1)

    def _mark_attempt(self, key: RunKey, place: TaskKey, attempt: int) -> Begun:
        name = self.ports.ids.new("chunk")
        mark = Begun(attempt=attempt, at=iso(self.ports.clock.now()), child=name)
        return self.ports.store.begin(key, place, mark)[0]

    def _newest_mark(self, key: RunKey, place: TaskKey) -> Begun:
        found = newest(self._look(key, place).begun.get(place, ()))
        if found is None:
            raise Bug(f"{place} has no mark")
        return found

    def _look(self, key: RunKey, place: TaskKey) -> RunSnapshot:
        return self.ports.store.snapshot(key, [LatchKey(place.path, place.at)], [place])

    def _open_head(self, key: RunKey) -> WorkflowHead:
        head = self.ports.runs.head(key)
        if head is None or head.ended:
            raise TaskFailed("the run has ended")
        return head


def _rounds(request: TaskRequest) -> str:
    return round_of(request.at, request.task, 0).rpartition("[")[0]
