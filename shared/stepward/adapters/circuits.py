"""Circuit breakers by AWS Powertools, over any store of their states.

It counts failures in the function's own memory and writes only when a circuit changes, so that a healthy far end costs
one eventually consistent read in five seconds and no write. It counts calls, not attempts at them: a task that tries
again until its far end is well must not open its own circuit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeVar

from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    CircuitState,
    circuit_breaker,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerPersistenceLayer

from stepward.domain.errors import CircuitOpen, ToolUnavailable

T = TypeVar("T")
FAILURES: Final = 5
RECOVERY_S: Final = 30
_CONFIG: Final = CircuitBreakerConfig(
    failure_threshold=FAILURES,
    recovery_timeout=RECOVERY_S,
    success_threshold=1,
    handled_exceptions=ToolUnavailable,
)
_REMEMBERED_CALLS: Final = 10_000


class _AgainUnavailable(Exception):
    """Carries a failure past the library, which has counted the call already."""

    def __init__(self, error: ToolUnavailable) -> None:
        self.error = error


@dataclass
class PowertoolsCircuits:
    """Circuit breakers; `store` keeps their states."""

    store: CircuitBreakerPersistenceLayer
    _failed: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def guard(self, tenant: str, far_end: str, call: str, work: Callable[[], T]) -> T:
        """Do the work if the circuit allows it."""
        name = f"T#{tenant}#BREAKER#{far_end}"

        def counted() -> T:
            try:
                return work()
            except ToolUnavailable as error:
                if self._is_counted(name, call):
                    raise _AgainUnavailable(error) from error
                raise

        try:
            result: T = circuit_breaker(name, self.store, config=_CONFIG)(counted)()
        except _AgainUnavailable as again:
            raise again.error from None
        except CircuitBreakerOpenError as error:
            raise CircuitOpen(
                f"{FAILURES} calls in a row to {far_end} failed lately and it is left alone; "
                f"try again in {RECOVERY_S} s, or do without it."
            ) from error
        return result

    def _is_counted(self, name: str, call: str) -> bool:
        """Return whether an earlier attempt at this call was counted.

        A probe of an open circuit always counts.
        """
        if self.store.get_state(name).state is not CircuitState.CLOSED:
            return False
        with self._lock:
            is_counted = (name, call) in self._failed
            self._failed[name, call] = None
            if len(self._failed) > _REMEMBERED_CALLS:
                self._failed.popitem(last=False)
        return is_counted
