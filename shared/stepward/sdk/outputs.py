"""Parse a run's answer as a type of the program's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from stepward.sdk.errors import NoOutput

T = TypeVar("T")


def output_of(run: Mapping[str, Any], kind: type[T]) -> T:
    """Read a run's answer.

    An agent with an `output_schema` has its answer checked before its run ends; `MyModel.model_json_schema()` of pydantic
    makes such a schema.

    Args:
        run: A run that is COMPLETED, as `run`, `wait` and `start_run` return it.
        kind: What to read: a pydantic model, a dataclass, a `TypedDict`, or a plain type such as `list[int]`.

    Returns:
        The answer. An agent's is a text and is read as JSON, but where `kind` is `str`; a workflow's is a value already.

    Raises:
        NoOutput: The run has no answer, or it is none of this kind.

    Example:
        >>> output_of({"id": "run_1", "status": "COMPLETED", "output": '{"total": 42}'}, dict[str, int])
        {'total': 42}
    """
    if run.get("status") != "COMPLETED":
        raise NoOutput(f"{run.get('id')} is {run.get('status')}: only a run that is COMPLETED has an answer")
    answer = run.get("output")
    try:
        if isinstance(answer, str) and kind is not str:
            answer = json.loads(answer)
        return TypeAdapter(kind).validate_python(answer)
    except (ValidationError, ValueError) as error:
        raise NoOutput(
            f"the answer of {run.get('id')} is no {getattr(kind, '__name__', kind)}: {error}"
        ) from error
