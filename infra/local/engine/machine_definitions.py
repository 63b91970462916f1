"""moto makes machines that AWS refuses to make, words what it refuses by its grammar, and has no ValidateStateMachineDefinition.

Where: `_validate_definition` in moto/stepfunctions/parser/models.py:64, and the actions of moto/stepfunctions/responses.py. What
`definition_checks` finds is refused first; what only moto's grammar finds is called by AWS's code for it.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import InvalidDefinition
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.definition_checks import Diagnostic, diagnose

ORIGINAL = StepFunctionsParserBackend._validate_definition  # noqa: SLF001 - what is mended
MOST_DIAGNOSTICS = 100


class Refused(AWSError):  # type: ignore[misc]
    """The error of the API; moto's own of that name loses its code on the way to the client."""

    TYPE = "InvalidDefinition"


def install() -> None:
    """Check before a machine is made or changed, and answer the action that only checks."""
    StepFunctionsParserBackend._validate_definition = staticmethod(_validate)  # noqa: SLF001 - as above
    StepFunctionResponse.validate_state_machine_definition = _validate_action


def faults_of(definition: str) -> list[Diagnostic]:
    """Find the faults and warnings of a definition; what moto's grammar refuses counts where nothing else is wrong."""
    found = diagnose(definition)
    if all(one.severity != "ERROR" for one in found):
        try:
            ORIGINAL(definition)
        except InvalidDefinition as error:
            found.insert(0, Diagnostic("SCHEMA_VALIDATION_FAILED", str(error.message), None))
    return found


def _validate(definition: str) -> None:
    errors = [one.said() for one in faults_of(definition) if one.severity == "ERROR"]
    if errors:
        raise Refused(f"Invalid State Machine Definition: '{', '.join(errors)}'")


def _validate_action(response: Any) -> Any:
    definition, severity = (response._get_param(name) for name in ("definition", "severity"))  # noqa: SLF001
    most = response._get_int_param("maxResults") or MOST_DIAGNOSTICS  # noqa: SLF001
    found = faults_of(definition)
    shown = [one for one in found if severity == "WARNING" or one.severity == "ERROR"]
    fails = any(one.severity == "ERROR" for one in found)
    told: dict[str, Any] = {
        "result": "FAIL" if fails else "OK",
        "diagnostics": [_shown(one) for one in shown[:most]],
        "truncated": len(shown) > most,
    }
    return ActionResult(told)


def _shown(one: Diagnostic) -> dict[str, str]:
    place = {} if one.location is None else {"location": one.location}
    return {"severity": one.severity, "code": one.code, "message": one.message, **place}
