"""Arguments of tools whose schema is data: an agent's own, or that of a function elsewhere."""

from __future__ import annotations

from itertools import islice
from typing import Any

from stepward.domain.errors import ToolArgumentInvalid
from stepward.domain.json_schemas import Schema, faults_of_value


def read_described(given: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Hold arguments to a schema; the error lists what a model has to mend."""
    faults = list(islice(faults_of_value(given, schema), 5))
    if faults:
        raise ToolArgumentInvalid("; ".join(faults))
    return given
