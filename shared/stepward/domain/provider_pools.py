"""A provider's keys as stored: `{"keys": [{"id", "value", "added_at"}]}`.

Nothing here ever puts a key's value, or what somebody stored in its place, into the words of an error.
"""

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

from stepward.domain.errors import InvalidRequest, ProviderRefused
from stepward.domain.ids import PROVIDER_PATTERN, TENANT_PATTERN, check_id

KEY_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_SENDABLE: Final = r"[!-~]{1,4096}"
"""What fits into a header of HTTP: a line break in a key would appear in the text of the error about it."""

MOST_KEYS: Final = 12
_SHOWN: Final = 4
_LONG_ENOUGH_TO_SHOW: Final = 16


def secrets_prefix(stage: str) -> str:
    """Return the prefix of the names of a stage's secrets."""
    return f"stepward/{stage}/providers"


def pool_name(provider: str, owner: str) -> str:
    """Return a pool's name; refuses what is no name of a provider or a tenant."""
    check_id("provider", provider, PROVIDER_PATTERN)
    check_id("tenant", owner, TENANT_PATTERN)
    return f"{provider}/{owner}"


def is_pool(provider: str, owner: str) -> bool:
    """Return True if two names are those of a pool."""
    return bool(re.fullmatch(PROVIDER_PATTERN, provider) and re.fullmatch(TENANT_PATTERN, owner))


def _sendable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(_SENDABLE, value.get_secret_value()):
        raise ValueError("a key is 1 to 4,096 letters, digits and signs without spaces and line breaks")
    return value


class StoredKey(BaseModel):
    """A key as it is stored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    id: Annotated[str, StringConstraints(pattern=KEY_ID_PATTERN)]
    value: Annotated[SecretStr, AfterValidator(_sendable)]
    added_at: str | None = None

    @field_serializer("value", when_used="json")
    def _as_kept(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @property
    def ending(self) -> str | None:
        """Return the last four characters of a long key, by which the operator tells keys apart.

        None for a key that is too short to show that much of.
        """
        value = self.value.get_secret_value()
        return f"…{value[-_SHOWN:]}" if len(value) >= _LONG_ENOUGH_TO_SHOW else None


class Pool(BaseModel):
    """The keys of one provider that one tenant, or all, may use."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    keys: tuple[StoredKey, ...]

    @model_validator(mode="after")
    def _tells_keys_apart(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        return self

    def with_key(self, key: StoredKey) -> Pool:
        """Add a key at the end, or replace the one with its id."""
        if key.id in {one.id for one in self.keys}:
            return Pool(keys=tuple(key if one.id == key.id else one for one in self.keys))
        if len(self.keys) >= MOST_KEYS:
            raise InvalidRequest(
                f"there are {len(self.keys)} keys already.", field="id", fix="remove one that is used no more"
            )
        return Pool(keys=(*self.keys, key))

    def without_key(self, key_id: str) -> Pool:
        """Remove a key.

        Raises:
            InvalidRequest: There is none of this id.
        """
        kept = tuple(key for key in self.keys if key.id != key_id)
        if len(kept) == len(self.keys):
            known = ", ".join(key.id for key in self.keys) or "none at all"
            raise InvalidRequest(
                f"there is no key {key_id!r}; there is {known}.", field="id", fix="name one that is there"
            )
        return Pool(keys=kept)


def new_key(key_id: str, value: str, added_at: str) -> StoredKey:
    """Make a key of an operator's input.

    Raises:
        InvalidRequest: The id or the value is none; the value is not repeated.
    """
    try:
        return StoredKey(id=key_id, value=SecretStr(value), added_at=added_at)
    except ValidationError as error:
        wrong = str(error.errors(include_input=False, include_context=False)[0]["loc"][0])
    if wrong == "id":
        raise InvalidRequest(
            "the key's id is invalid.",
            field="id",
            fix="use 1 to 64 letters, digits, dots, dashes and underlines",
        )
    raise InvalidRequest(
        f"the value is not a key: it has {len(value)} characters, or some that no key has.",
        field="value",
        fix="give 1 to 4,096 letters, digits and signs without spaces and line breaks",
    )


def read_pool(secret: str, text: str) -> Pool:
    """Parse a pool.

    Args:
        secret: The name of what keeps it, for the message.
        text: What was kept.

    Raises:
        ProviderRefused: The text is no pool. Nothing of it is in the message, nor in what the error came from.
    """
    try:
        return Pool.model_validate_json(text)
    except ValidationError as error:
        place = ".".join(
            str(part) for part in error.errors(include_input=False, include_context=False)[0]["loc"]
        )
    raise ProviderRefused(
        f"the secret {secret!r} holds no list of keys{f': {place} does not fit' if place else ''}.",
        fix='store {"keys": [{"id": "…", "value": "…"}]} in it, or run python -m stepward.runtime.provider_keys set',
    )
