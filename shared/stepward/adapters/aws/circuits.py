"""States of circuit breakers in the limits table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
    CircuitStateRecord,
)
from botocore.exceptions import BotoCoreError, ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.circuits import PowertoolsCircuits
from stepward.domain.errors import Bug

_LOG: Final = logging.getLogger(__name__)
_SORT_KEY: Final = "STATE"


class _LimitsTable(CircuitBreakerDynamoDBPersistence):
    """Stores circuits under our keys: the circuit's name, which begins with the tenant."""

    def _get_key(self, name: str) -> dict[str, Any]:
        return {"pk": {"S": name}, "sk": {"S": _SORT_KEY}}

    def _get_record(self, name: str) -> CircuitStateRecord | None:
        with _logging_failures(f"reading the state of {name}"):
            return super()._get_record(name)

    def _put_record(self, record: CircuitStateRecord, *args: Any, **options: Any) -> None:
        with _logging_failures(f"writing the state of {record.name}"):
            super()._put_record(record, *args, **options)

    def try_acquire_half_open(self, *args: Any, **named: Any) -> bool:
        # The one call whose failure the library lets out: without an answer this process does not probe.
        try:
            return bool(super().try_acquire_half_open(*args, **named))
        except (ClientError, BotoCoreError):
            return False

    def _update_record(self, record: CircuitStateRecord) -> None:
        with _logging_failures(f"writing the state of {record.name}"):
            super()._update_record(record)


@contextmanager
def _logging_failures(doing: str) -> Iterator[None]:
    """Log what AWS says before the library goes on without its store.

    The library's own words about it reach no log.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        _LOG.warning("the circuit breaker goes on without its store, which failed while %s: %s", doing, error)
        raise


def dynamo_circuits(table: str) -> PowertoolsCircuits:
    """Return the circuit breakers of a stage."""
    if not table:
        raise Bug("circuit breakers need a table")
    return PowertoolsCircuits(
        _LimitsTable(table, key_attr="pk", expiry_attr="expires_at", boto3_client=client("dynamodb"))
    )
