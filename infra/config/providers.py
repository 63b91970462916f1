"""The providers of models that a stage may call: `[providers.NAME]` in its file, without a secret in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_KNOWN: Final[dict[str, dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "shared/stepward/ports/providers.json").read_text(encoding="utf-8")
)
KINDS: Final = _KNOWN["kinds"]
"""What a provider may speak, and what holds of it."""

BUILT_IN: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(facts["kinds"]) for name, facts in _KNOWN["built_in"].items()
}
"""The providers that need no entry, with the kinds that an entry of their name may be."""

KEY_VARIABLES: Final[dict[str, str]] = {
    name: facts["key_variable"] for name, facts in _KNOWN["built_in"].items() if "key_variable" in facts
}
"""Where the vendors' own tools look for a key, which the laptop takes for a shared one."""

MOST_BYTES: Final = 2_000
"""Lambda gives all variables of a function 4,096 bytes."""

_OWN_NETWORK: Final = (".local", ".internal", ".lan")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address; write it whole, as in https://models.example.com/v1")
    if parts.port == 0:
        raise ValueError(f"{url!r}: nobody answers at port 0")
    if parts.username or parts.password:
        raise ValueError(
            "an address holds no password; set the provider's key with stepward.runtime.provider_keys"
        )
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} ends in a query; leave out what follows the path")
    if parts.scheme == "http" and not _is_near(parts):
        raise ValueError(f"{url!r} would send the key unencrypted through the world; write https")
    return url.rstrip("/")


def _is_near(parts: SplitResult) -> bool:
    """Tell whether a host is this machine or in the operator's own network."""
    host = parts.hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_OWN_NETWORK)


def _no_variable_of_aws(name: str) -> str:
    if name.startswith("AWS_"):
        raise ValueError(f"{name} belongs to AWS's own clients; name another variable")
    return name


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"it is one of {', '.join(map(repr, KINDS))}")
    return kind


class ProviderConfig(BaseModel):
    """One provider, or what a stage changes about a built-in one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # What it speaks; a built-in one need not say it.
    kind: Annotated[str, AfterValidator(_known_kind)]
    url: Annotated[str, AfterValidator(_address)] | None = None
    # What one key may ask for: the vendor's word, or less.
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1, le=10_000_000_000)] | None = None
    # After how many seconds without a sign of life a reply counts as stalled: 90 by default, 300 for `openai`.
    silence_s: Annotated[float, Field(gt=0, le=600)] | None = None
    # Which variable of the environment the laptop takes the shared key from.
    key_env: (
        Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$"), AfterValidator(_no_variable_of_aws)] | None
    ) = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> ProviderConfig:
        if KINDS[self.kind].get("needs_url") and self.url is None:
            raise ValueError(f'url: an "{self.kind}" server has no address of its own; write it')
        if not KINDS[self.kind].get("takes_key", True) and self.key_env is not None:
            raise ValueError(
                f"key_env: {self.kind.capitalize()} takes no key, the function's own role is let in"
            )
        return self


def check_providers(providers: Mapping[str, ProviderConfig]) -> None:
    """Check all entries together, for what each alone cannot show.

    Raises:
        ValueError: A built-in name is given to another kind, or the entries do not fit into a function's variables.
    """
    for name, entry in providers.items():
        if entry.kind not in BUILT_IN.get(name, (entry.kind,)):
            raise ValueError(
                f"{name}: kind: models of {name!r} are asked in that vendor's own words; "
                f"leave kind out, or give a server of kind {entry.kind!r} another name"
            )
    size = len(entries_json(providers).encode())
    if size > MOST_BYTES:
        raise ValueError(f"all entries together take {size} bytes; keep them under {MOST_BYTES}")


def with_kinds(providers: Any) -> Any:
    """Let an entry that changes a built-in provider leave out what kind it is."""
    if not isinstance(providers, dict):
        return providers
    return {
        name: {"kind": name, **entry} if name in BUILT_IN and isinstance(entry, dict) else entry
        for name, entry in providers.items()
    }


def entries_json(providers: Mapping[str, ProviderConfig]) -> str:
    """Write entries as functions read them: a list, or nothing where there is none."""
    if not providers:
        return ""
    entries = [
        {
            "name": name,
            "kind": entry.kind,
            "base_url": entry.url,
            "requests_per_minute": entry.requests_per_minute,
            "tokens_per_minute": entry.tokens_per_minute,
            "silence_s": entry.silence_s,
        }
        for name, entry in sorted(providers.items())
    ]
    known = [{key: value for key, value in entry.items() if value is not None} for entry in entries]
    return json.dumps(known, separators=(",", ":"))


def key_variables(providers: Mapping[str, ProviderConfig]) -> dict[str, str]:
    """Return the environment variable of each provider's shared key on the laptop."""
    own = {name: entry.key_env for name, entry in providers.items() if entry.key_env is not None}
    return KEY_VARIABLES | own
