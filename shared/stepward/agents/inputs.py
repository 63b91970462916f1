"""Holds what a run is given to what its agent says that it wants: the JSON Schema in `input_schema`."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any, Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_schemas import Schema, fault_of_schema, faults_of_value

_MOST_FAULTS: Final = 20
_KINDS: Final = ({"object"}, {"string"}, {"object", "string"})
_FIX: Final = (
    "write a JSON Schema, as in {type: object, properties: {order_id: {type: string}}, required: [order_id]}"
)


def check_input_schema(agent: AgentDefinition) -> None:
    """Refuse a schema that cannot be held, or that no input could fit.

    Raises:
        InvalidRequest: It has words that are not checked, or wants neither an object nor a text.
    """
    schema = agent.input_schema
    if schema is None:
        return
    fault = fault_of_schema(schema, "input_schema")
    kinds = schema.get("type")
    if not fault and (not kinds or set([kinds] if isinstance(kinds, str) else kinds) not in _KINDS):
        fault = "input_schema: an input is an object or a text, so its `type` is object or string"
    if fault:
        raise InvalidRequest(f"{fault}.", field="input_schema", fix=_FIX)


def input_faults(agent: AgentDefinition, given: Any, computed: Collection[str] = ()) -> list[str]:
    """Say where an input does not fit; each fault begins with its path, as in `input.order_id: it is missing`.

    Args:
        agent: Whose `input_schema` counts; without one everything fits.
        given: The input.
        computed: Names at its top whose values are not known yet, and are not looked at.

    Returns:
        At most 20 faults, in the schema's order.
    """
    if agent.input_schema is None:
        return []
    # As for workflows: what the schema does not name is allowed at the top, unless it says otherwise.
    schema: Schema = {"additionalProperties": True, **agent.input_schema}
    if computed:
        left = {name: one for name, one in schema.get("properties", {}).items() if name not in computed}
        required = [name for name in schema.get("required", []) if name not in computed]
        schema = {**schema, "properties": left, "required": required}
        given = {name: one for name, one in given.items() if name not in computed}
    return list(islice(faults_of_value(given, schema, "input"), _MOST_FAULTS))


def check_given(agent: AgentDefinition, given: Any) -> None:
    """Refuse an input that does not fit.

    Raises:
        InvalidRequest: With the path of each value that does not fit as its field.
    """
    faults = [one.partition(": ") for one in input_faults(agent, given)]
    if not faults:
        return
    fix = f"GET /agents/{agent.id} shows its `input_schema`"
    raise InvalidRequest(
        f"the input does not fit: {''.join(faults[0])}.",
        field=faults[0][0],
        fix=fix,
        errors=[{"field": path, "detail": said, "fix": "fix the input"} for path, _, said in faults],
    )
