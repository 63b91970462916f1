"""Keys of providers on a laptop: from the variables that the vendors' own tools read, into its Secrets Manager.

No function has them in its environment, and no folder keeps them: with the laptop they are gone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from infra.config import load_config
from infra.config.providers import key_variables
from infra.config_errors import DefinitionError
from infra.local.faults import LaptopError, UnusableOption
from infra.local.operating import STAGE
from infra.names import Names

if TYPE_CHECKING:
    from infra.local.laptop import Laptop

_KEY: Final = re.compile(r"[!-~]{1,4096}")
_ID: Final = "environment"


def take(settings: Sequence[str] = ()) -> dict[str, str]:
    """Remove keys from this process's environment, so that no child inherits them.

    Args:
        settings: What replaces the stage's settings; providers there may name variables of their own.

    Returns:
        The keys that were there, by the names of their providers.

    Raises:
        LaptopError: The stage's settings are wrong.
        UnusableOption: A variable holds what no key can be; its value is not repeated.
    """
    try:
        variables = key_variables(load_config(STAGE, settings=settings).providers)
    except DefinitionError as error:
        raise LaptopError(str(error)) from error
    found = {provider: os.environ.get(name, "").strip() for provider, name in variables.items()}
    for name in set(variables.values()):
        os.environ.pop(name, None)
    for provider, key in found.items():
        if key and not _KEY.fullmatch(key):
            raise UnusableOption(
                f"{variables[provider]} holds no key: it has spaces, line breaks or letters that no key has."
            )
    return {provider: key for provider, key in found.items() if key}


def put(laptop: Laptop, keys: Mapping[str, str]) -> None:
    """Keep keys for all tenants of a laptop."""
    secrets, prefix = laptop.client("secretsmanager"), Names(STAGE).provider_secrets()
    for provider, key in keys.items():
        pool = {"keys": [{"id": _ID, "value": key}]}
        secrets.create_secret(Name=f"{prefix}/{provider}/shared", SecretString=json.dumps(pool))
