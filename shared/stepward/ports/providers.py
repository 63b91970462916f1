"""Model providers: how each is reached, its keys, and its limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, TypeAdapter

from stepward.domain.ids import PROVIDER_PATTERN
from stepward.domain.provider_pools import Pool

SHARED: Final = "shared"
"""The owner of the keys for tenants without keys of their own, in place of a tenant's name."""

KNOWN: Final[dict[str, dict[str, Any]]] = json.loads(
    Path(__file__).with_name("providers.json").read_text(encoding="utf-8")
)
"""What providers may speak, and those that need no entry; `infra/config/providers.py` reads the same file."""


def _known_kind(kind: str) -> str:
    if kind not in KNOWN["kinds"]:
        raise ValueError(f"it is one of {', '.join(KNOWN['kinds'])}")
    return kind


ProviderKind = Annotated[str, AfterValidator(_known_kind)]
ProviderName = Annotated[str, StringConstraints(pattern=PROVIDER_PATTERN)]


class ProviderEntry(BaseModel):
    """One provider that a stage may call: protocol, address, and limits of each key."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: ProviderName
    kind: ProviderKind
    base_url: str | None = None
    """Where it answers; None is the vendor's own address."""

    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    silence_s: Annotated[float, Field(gt=0)] = 90.0
    """After how many seconds without a sign of life a reply counts as stalled."""

    @property
    def takes_key(self) -> bool:
        """Whether its calls carry a stored key; on Bedrock the function's own role is used."""
        takes_key: bool = KNOWN["kinds"][self.kind].get("takes_key", True)
        return takes_key


def _settings(name: str) -> dict[str, Any]:
    built_in: dict[str, Any] = KNOWN["built_in"].get(name, {})
    return dict(built_in.get("settings", {}))


BUILT_IN: Final = tuple(
    ProviderEntry(name=name, kind=facts["kinds"][0], **_settings(name))
    for name, facts in KNOWN["built_in"].items()
)
"""OpenAI's may be silent for longer: it sends no sign of life while a model reasons, which may take minutes."""


def read_entries(text: str) -> tuple[ProviderEntry, ...]:
    """Parse a stage's entries.

    Args:
        text: A JSON list of entries, or nothing where the stage has none of its own.

    Returns:
        The built-in entries, each replaced by the stage's one of its name, then the stage's others.
    """
    return with_built_in(TypeAdapter(tuple[ProviderEntry, ...]).validate_json(text) if text else ())


def with_built_in(entries: Iterable[ProviderEntry]) -> tuple[ProviderEntry, ...]:
    """Add the built-in entries that a stage does not replace.

    An entry that replaces one keeps the built-in settings that it does not set itself: a limit of OpenAI's tokens does
    not make a model that reasons for two minutes count as stalled.
    """
    own = {entry.name: _with_settings(entry) for entry in entries}
    return tuple(({entry.name: entry for entry in BUILT_IN} | own).values())


def _with_settings(entry: ProviderEntry) -> ProviderEntry:
    return ProviderEntry.model_validate(_settings(entry.name) | entry.model_dump(exclude_unset=True))


@dataclass(frozen=True)
class ProviderKey:
    """One key of a provider; its value is shown by no `repr` and no log."""

    id: str
    value: SecretStr

    @property
    def fingerprint(self) -> str:
        """Identify a key without its value: a replaced key has another fingerprint."""
        return sha256(self.value.get_secret_value().encode()).hexdigest()[:16]


OWN_ROLE: Final = ProviderKey("role", SecretStr("role"))
"""Replaces a key where a provider takes none, so that its calls are counted all the same."""


def keys_of(pool: Pool | None) -> tuple[ProviderKey, ...]:
    """Return the keys of a pool, without what only its operator needs."""
    return tuple(ProviderKey(key.id, key.value) for key in pool.keys) if pool else ()


class ProviderPools(Protocol):
    """Stores pools of keys, for the operator."""

    def read(self, provider: str, owner: str) -> Pool | None:
        """Read a pool as it is now.

        Args:
            provider: The name of the provider's entry.
            owner: A tenant, or `SHARED`.

        Returns:
            The pool; None where there is none.

        Raises:
            ProviderRefused: What is stored is no pool; the message names the secret and not its content.
        """

    def write(self, provider: str, owner: str, pool: Pool) -> None:
        """Replace or create a pool; one without keys is removed.

        Args:
            provider: The name of the provider's entry.
            owner: A tenant, or `SHARED`.
            pool: The pool.
        """

    def names(self) -> list[tuple[str, str]]:
        """List all pools.

        Returns:
            Provider and owner of each, sorted.
        """


class ProviderKeys(Protocol):
    """Reads keys, which only the operator sets."""

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Return the keys with which a tenant's calls are made.

        A tenant's own come before the shared ones: a tenant with keys is never served by another's, nor is
        its use billed to them.

        Args:
            tenant: Whose calls they are for.
            provider: The name of the provider's entry.

        Returns:
            The tenant's own, else the shared ones, in the order in which they were set; none if none was set.

        Raises:
            ProviderRefused: What is stored is no list of keys; the message names the secret and not its
                content.
        """

    def forget(self, tenant: str, provider: str) -> None:
        """Drop cached keys because the provider refused one; the next call reads them again.

        Args:
            tenant: Whose calls they were for.
            provider: The name of the provider's entry.
        """


@dataclass(frozen=True)
class PlannedCall:
    """One model call as the limits count it."""

    entry: ProviderEntry
    model: str
    tokens: int
    """The most tokens that it can take, input and output together."""

    name: str
    """The call's name: failed attempts with one name count as one."""


class ProviderLimits(Protocol):
    """Rate limits of keys and health of providers, shared by all functions.

    Reports after a call never raise: a paid reply must not be lost to them.
    """

    def admit(self, call: PlannedCall, keys: Sequence[ProviderKey]) -> ProviderKey:
        """Choose the key that has capacity for a call, and count the call.

        Args:
            call: The call to be made.
            keys: The keys that it may be made with, the preferred one first; none for a provider that takes
                none.

        Returns:
            The first key with capacity; recently refused keys come after the others. `OWN_ROLE` where there
            are no keys.

        Raises:
            ProviderThrottled: No key has capacity, or the provider failed so often that it is not called for
                a while.
        """

    def answered(self, call: PlannedCall, key: ProviderKey, tokens: int) -> None:
        """Report a call that succeeded.

        Args:
            call: The call.
            key: The key that it was made with.
            tokens: How many tokens it really took.
        """

    def failed(self, call: PlannedCall) -> None:
        """Report that the provider gave no answer, or a 5xx.

        Args:
            call: The call.
        """

    def throttled(self, call: PlannedCall, key: ProviderKey, retry_after_s: float | None) -> None:
        """Report that the provider wants fewer calls of this model and key.

        Args:
            call: The call.
            key: The key that it was made with.
            retry_after_s: For how many seconds; None if the provider did not say.
        """

    def refused(self, call: PlannedCall, key: ProviderKey, *, of_model: bool) -> None:
        """Report that the provider refuses this key.

        Args:
            call: The call.
            key: The key that it was made with.
            of_model: Whether it refuses the key for this model only.
        """
