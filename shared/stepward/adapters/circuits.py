"""Circuit breakers by AWS Powertools, over any store of their states.

It counts failures in the function's own memory and writes only when a circuit changes, so what is well costs one
eventually consistent read in five seconds and no write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
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


@dataclass(frozen=True)
class PowertoolsCircuits:
    """The breakers; `store` keeps their states."""

    store: CircuitBreakerPersistenceLayer

    def guard(self, tenant: str, far_end: str, work: Callable[[], T]) -> T:
        """Do the work if the circuit lets it pass."""
        name = f"T#{tenant}#BREAKER#{far_end}"
        try:
            result: T = circuit_breaker(name, self.store, config=_CONFIG)(work)()
        except CircuitBreakerOpenError as error:
            raise CircuitOpen(
                f"{far_end} failed {FAILURES} times in a row lately and is left alone; "
                f"try again in {RECOVERY_S} s, or do without it."
            ) from error
        return result
