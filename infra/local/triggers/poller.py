"""A poller of one event source mapping, and which records of a batch have failed.

Source: "Implementing partial batch responses" of the Lambda guide.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any

from moto.awslambda.models import EventSourceMapping, lambda_backends

from infra.local import account
from infra.local.executor import Executor, InvocationResult, Throttled
from infra.local.triggers.clock import Clock, Work
from stepward.domain.patterns import fits


class Poller(ABC):
    """Polls the source of one mapping.

    It wakes after a write, at the end of a batch, at a time of the clock, and when the mapping changes.
    """

    def __init__(
        self, mapping: EventSourceMapping, executor: Executor, clock: Clock, concurrency: int
    ) -> None:
        """Keep moto's mapping, and prepare the threads."""
        self.mapping = mapping
        self.clock = clock
        self._executor = executor
        self._function = account.function_name(mapping.function_arn)
        self._concurrency = concurrency
        self._work = Work(concurrency)
        self._woken = threading.Event()
        self._in_progress = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"poller-{self._function}")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Let the thread poll, since there may be something to do."""
        self._woken.set()

    def wake_at(self, when_s: float) -> None:
        """Wake the thread at a time of the clock."""
        self.clock.call_at(when_s, self.wake)

    def close(self) -> None:
        """Stop the thread; batches in progress end by themselves."""
        self._closed = True
        self.wake()
        self._work.close()
        self._thread.join()

    @property
    def is_enabled(self) -> bool:
        """Whether the mapping still exists and is enabled."""
        mappings = lambda_backends[account.ACCOUNT_ID][account.REGION]._event_source_mappings  # noqa: SLF001
        return mappings.get(self.mapping.uuid) is self.mapping and bool(self.mapping.enabled)

    @property
    def has_capacity(self) -> bool:
        """Whether one more batch may be in progress."""
        return self._in_progress < self._concurrency

    @abstractmethod
    def take(self) -> bool:
        """Take batches and begin them; return False if there is nothing to do until woken."""

    def begin(self, handle: Callable[[], None]) -> None:
        """Handle one batch in a thread of its own, and wake this one when it is done."""
        with self._lock:
            self._in_progress += 1
        self._work.submit(self._handle, handle)

    def invoke(self, payload: bytes) -> InvocationResult | None:
        """Invoke the function; return None when it is throttled."""
        try:
            return self._executor.invoke(self._function, payload)
        except Throttled:
            return None

    def _handle(self, handle: Callable[[], None]) -> None:
        try:
            if not self._closed:
                handle()
        finally:
            with self._lock:
                self._in_progress -= 1
            self.wake()

    def _run(self) -> None:
        while not self._closed:
            self._woken.clear()
            if not self._poll():
                self._woken.wait()

    def _poll(self) -> bool:
        try:
            return self.is_enabled and self.has_capacity and self.take()
        except Exception:  # noqa: BLE001 - the border of a thread: its end would leave the source unread for ever
            if not self._closed:
                traceback.print_exc(file=sys.stderr)
            return False


def failed_ids(
    mapping: EventSourceMapping, result: InvocationResult | None, ids: Collection[str]
) -> set[str]:
    """Return the ids of the failed records; an invalid response fails all of them."""
    if result is None or result.function_error is not None:
        return set(ids)
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    try:
        answer = json.loads(result.payload or b"null")
        failures = (answer or {}).get("batchItemFailures") or []
        named = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError):
        return set(ids)
    return min(named, set(ids))


def passes(mapping: EventSourceMapping, record: Mapping[str, Any]) -> bool:
    """Return whether a record matches one of the mapping's filters, or there is none."""
    filters = (mapping.filter_criteria or {}).get("Filters") or []
    return not filters or any(fits(json.loads(one["Pattern"]), record) for one in filters)
