"""The text in which a pool of keys is kept: `{"keys": [{"id": "a", "value": "sk-…", "added_at": "2026-01-01T…"}]}`."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_serializer,
    model_validator,
)

from stepward.domain.errors import ProviderRefused
from stepward.domain.ids import PROVIDER_PATTERN, TENANT_PATTERN, check_id
from stepward.ports.providers import ProviderKey

KEY_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
KEY_VALUE_PATTERN: Final = r"^[!-~]{1,4096}$"
"""What fits into a header of HTTP: a line break in a key would come out in the words of the error about it."""


def _sendable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(KEY_VALUE_PATTERN, value.get_secret_value()):
        raise ValueError("it is empty, too long, or has spaces, line breaks or letters that no header takes")
    return value


class StoredKey(BaseModel):
    """A key as it is kept."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=KEY_ID_PATTERN)]
    value: Annotated[SecretStr, AfterValidator(_sendable)]
    added_at: str | None = None

    @field_serializer("value")
    def _shown_to_the_store(self, value: SecretStr) -> str:
        return value.get_secret_value()


class Pool(BaseModel):
    """The keys of one provider that one tenant, or all, may use."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    keys: tuple[StoredKey, ...]

    @model_validator(mode="after")
    def _tells_keys_apart(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        return self

    def as_keys(self) -> tuple[ProviderKey, ...]:
        """Give what calls need of it."""
        return tuple(ProviderKey(key.id, key.value) for key in self.keys)


def pool_name(provider: str, owner: str) -> str:
    """Name a pool; what is no name of a provider or a tenant never becomes part of one."""
    check_id("provider", provider, PROVIDER_PATTERN)
    check_id("tenant", owner, TENANT_PATTERN)
    return f"{provider}/{owner}"


def read_pool(secret: str, text: str) -> Pool:
    """Read a pool.

    Args:
        secret: The name of what keeps it, for the message.
        text: What was kept.

    Raises:
        ProviderRefused: The text is no pool. Nothing of it is in the message, nor in what the error came from.
    """
    try:
        found = Pool.model_validate_json(text)
    except ValidationError as error:
        place = ".".join(
            str(part) for part in error.errors(include_input=False, include_context=False)[0]["loc"]
        )
    else:
        return found
    raise ProviderRefused(
        f"the secret {secret!r} holds no list of keys{f': {place} does not fit' if place else ''}.",
        fix='store {"keys": [{"id": "…", "value": "…"}]} in it, or run python -m stepward.runtime.provider_keys set',
    )
