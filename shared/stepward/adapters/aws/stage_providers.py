"""Reads which providers a deployed stage may call, from the settings of the function that calls them."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError
from pydantic import ValidationError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.domain.errors import Bug
from stepward.ports.providers import ProviderEntry, read_entries

_NO_SUCH: Final = "ResourceNotFoundException"


def caller_of_models(stage: str) -> str:
    """Name the function that calls models."""
    return f"stepward-{stage}-agent-advance"


def stage_providers(stage: str) -> tuple[ProviderEntry, ...] | None:
    """Read a stage's entries as its functions have them.

    Args:
        stage: The stage's name.

    Returns:
        The built-in entries and the stage's own; None where nothing is deployed under that name.

    Raises:
        StepwardError: AWS did not answer, or does not let the caller ask.
        Bug: What the function has in its settings are no entries.
    """
    name = caller_of_models(stage)
    with translated(f"reading the settings of {name}"):
        try:
            said = client("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if error_code(error) != _NO_SUCH:
                raise
            return None
    try:
        return read_entries(said.get("Environment", {}).get("Variables", {}).get("PROVIDERS", ""))
    except ValidationError as error:
        raise Bug(f"PROVIDERS of {name} holds no entries of providers") from error
