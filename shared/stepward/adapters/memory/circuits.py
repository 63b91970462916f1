"""States of circuit breakers in a dictionary, with the same condition as the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from aws_lambda_powertools.utilities.circuit_breaker import CircuitState
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerPersistenceLayer,
    CircuitStateRecord,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence.base import CircuitBreakerExistingLockError

from stepward.adapters.circuits import PowertoolsCircuits


class _Dictionary(CircuitBreakerPersistenceLayer):
    """The library's store as a dictionary of one record a circuit."""

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[str, CircuitStateRecord] = {}

    def _get_record(self, name: str) -> CircuitStateRecord | None:
        return self._records.get(name)

    def _put_record(
        self, record: CircuitStateRecord, condition: str | None = None, expected_opened_at: int | None = None
    ) -> None:
        if condition == "half_open" and not self._may_probe(record.name, expected_opened_at):
            raise CircuitBreakerExistingLockError
        self._records[record.name] = replace(record)

    def _may_probe(self, name: str, opened_at: int | None) -> bool:
        before = self._records[name]
        if before.state is CircuitState.OPEN:
            return before.half_open_owner is None and before.opened_at == opened_at
        lease = before.probe_lease_expiry or 0
        return before.state is CircuitState.HALF_OPEN and lease <= datetime.now(UTC).timestamp()

    def _update_record(self, record: CircuitStateRecord) -> None:
        self._records[record.name] = replace(record)


def memory_circuits() -> PowertoolsCircuits:
    """Return circuit breakers that forget with the process."""
    return PowertoolsCircuits(_Dictionary())
