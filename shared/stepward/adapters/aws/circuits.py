"""States of circuit breakers in the limits table."""

from __future__ import annotations

from typing import Any, Final

from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence

from stepward.adapters.aws.clients import client
from stepward.adapters.circuits import PowertoolsCircuits
from stepward.domain.errors import Bug

_SORT_KEY: Final = "STATE"


class _LimitsTable(CircuitBreakerDynamoDBPersistence):
    """Keys of our shape: the circuit's name, which begins with the tenant, is the partition."""

    def _get_key(self, name: str) -> dict[str, Any]:
        return {"pk": {"S": name}, "sk": {"S": _SORT_KEY}}


def dynamo_circuits(table: str) -> PowertoolsCircuits:
    """Make the breakers of a stage."""
    if not table:
        raise Bug("circuit breakers need a table")
    return PowertoolsCircuits(
        _LimitsTable(table, key_attr="pk", expiry_attr="expires_at", boto3_client=client("dynamodb"))
    )
