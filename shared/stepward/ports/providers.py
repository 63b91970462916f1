"""Providers of models: how each is reached, the keys that it takes, and how much may be asked of it."""

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
"""Stands where a tenant's name would: the keys of whoever has none of its own."""

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
        """Whether its calls carry a key of ours; on Bedrock the function's own role is the key."""
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
    """Read a stage's entries.

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
"""Stands for a key where a provider takes none of ours, so that its calls are counted all the same."""


def keys_of(pool: Pool | None) -> tuple[ProviderKey, ...]:
    """Give what calls need of a pool."""
    return tuple(ProviderKey(key.id, key.value) for key in pool.keys) if pool else ()


class ProviderPools(Protocol):
    """Keeps pools of keys, for the operator."""

    def read(self, provider: str, owner: str) -> Pool | None:
        """Read a pool as it is now; None where there is none.

        Args:
            provider: The name of the provider's entry.
            owner: A tenant, or `SHARED`.

        Raises:
            ProviderRefused: What is kept is no pool; the message names the secret and not its content.
        """

    def write(self, provider: str, owner: str, pool: Pool) -> None:
        """Replace a pool, or make it; one without keys is taken away."""

    def names(self) -> list[tuple[str, str]]:
        """List provider and owner of every pool, sorted."""


class ProviderKeys(Protocol):
    """Reads keys, which the operator alone sets."""

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Give the keys with which a tenant's calls are made.

        A tenant's own stand before the shared ones: who has any is never served by another's key, nor billed to it.

        Args:
            tenant: Whose calls they are for.
            provider: The name of the provider's entry.

        Returns:
            The tenant's own, else the shared ones, in the order in which they were set; none if nobody has set any.

        Raises:
            ProviderRefused: What is kept is no list of keys; the message names the secret and not its content.
        """

    def forget(self, tenant: str, provider: str) -> None:
        """Read again at the next call what may be remembered, because the provider refused a key."""


@dataclass(frozen=True)
class PlannedCall:
    """One call of a model, as limits look at it."""

    entry: ProviderEntry
    model: str
    tokens: int
    """The most that it can take, read and written together."""

    name: str
    """However many attempts at one call fail, by this name they count as one."""


class ProviderLimits(Protocol):
    """Rate limits of keys and health of providers, as all functions have seen them.

    What is told after a call never raises: a reply that is paid must not be lost to a note about it.
    """

    def admit(self, call: PlannedCall, keys: Sequence[ProviderKey]) -> ProviderKey:
        """Choose the key that has room for a call, and count the call.

        Args:
            call: What is to be made.
            keys: The keys that it may be made with, the first of them wanted most; none for a provider that takes none.

        Returns:
            The first key with room; one that was refused lately comes after those that were not. `OWN_ROLE` where there
            are no keys.

        Raises:
            ProviderThrottled: No key has room, or the provider failed so often that it is left alone.
        """

    def answered(self, call: PlannedCall, key: ProviderKey, tokens: int) -> None:
        """Note that a call went well, and how many tokens it really took."""

    def failed(self, call: PlannedCall) -> None:
        """Note that the provider gave no answer, or a 5xx."""

    def throttled(self, call: PlannedCall, key: ProviderKey, retry_after_s: float | None) -> None:
        """Note for how many seconds the provider wants fewer calls of this model and key."""

    def refused(self, call: PlannedCall, key: ProviderKey, *, of_model: bool) -> None:
        """Note that the provider does not take this key, or not for this model."""
