"""The values of a prompt's variables: what is given, checked by type, and defaults for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.domain.documents.problems import MOST_PROBLEMS
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_text import as_read
from stepward.domain.nearest import did_you_mean
from stepward.domain.prompts import PromptDefinition, Variable

MOST_VALUES_BYTES: Final = 200_000
"""What the values of one render may take together, as JSON."""


def values_of(prompt: PromptDefinition, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each variable of a prompt.

    Args:
        prompt: Whose variables.
        given: Values by name; a variable that is not among them has its default.

    Raises:
        InvalidRequest: A variable is missing, is of another type or is none of the prompt's; `errors` has all of them.
    """
    faults = [*_unknown(prompt, given), *_faults(prompt, given)][:MOST_PROBLEMS]
    if faults:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InvalidRequest(
            f"{first['detail']}{more}", field=first["field"], fix=first["fix"], errors=faults
        )
    values = {name: given.get(name, one.default) for name, one in prompt.variables.items()}
    size = len(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MOST_VALUES_BYTES:
        raise InvalidRequest(
            f"the variables of {prompt.id!r} take {size:,} bytes; {MOST_VALUES_BYTES:,} are the most.",
            field="variables",
            fix="give shorter values",
        )
    return values


def _unknown(prompt: PromptDefinition, given: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    known = prompt.variables
    for name in given:
        if name not in known:
            listed = (
                f"use one of {', '.join(known)}" if known else "leave `variables` out: the prompt has none"
            )
            detail = f"{prompt.id!r} {prompt.version} has no variable {name[:80]!r}."
            yield _fault(name[:80], detail, did_you_mean(name, known, listed))


def _faults(prompt: PromptDefinition, given: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name, variable in prompt.variables.items():
        if name not in given:
            if variable.is_required:
                detail = f"{prompt.id!r} {prompt.version} needs the variable {name!r}."
                yield _fault(
                    name, detail, f"give it as {_sample(variable)}, or give the prompt a default for it"
                )
        elif not variable.type.fits(given[name]):
            said = as_read(given[name], 60)
            detail = f"the variable {name!r} of {prompt.id!r} {prompt.version} is {variable.type.value}, not {said}."
            yield _fault(name, detail, f"give it as {_sample(variable)}")


def _sample(variable: Variable) -> str:
    return _SAMPLES[variable.type.value]


_SAMPLES: Final = {
    "string": 'a text, as in "Ann"',
    "integer": "a whole number, as in 3",
    "number": "a number, as in 2.5",
    "boolean": "true or false",
    "array": 'a list, as in ["a", "b"]',
    "object": 'an object, as in {"name": "Ann"}',
}


def _fault(name: str, detail: str, fix: str) -> dict[str, str]:
    return {"field": f"variables.{name}", "detail": detail, "fix": fix}
