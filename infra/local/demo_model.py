"""Which model answers the demo's tickets, where that is not the rehearsal: found, reached and paid by the caller's key."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from infra.config.providers import KEY_VARIABLES
from infra.local import provider_keys
from infra.local.faults import UnusableOption
from infra.local.synthesis import ROOT

_DATA: Final = ROOT / "shared" / "stepward" / "models" / "data"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_KEY_NEEDED: Final = "loopback"
_CONNECT_S: Final = 5.0
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True)
class DemoModel:
    """A model that answers in the rehearsal's place.

    Args:
        name: Its id, or an alias.
        provider: Whose it is.
        url: Where to ask it, if not at the vendor's own address.
        keys: The provider's key.
    """

    name: str
    provider: str
    url: str | None
    keys: Mapping[str, str]

    @property
    def settings(self) -> tuple[str, ...]:
        """Return the settings of the laptop's stage for this model."""
        return (f"providers.{self.provider}.url={json.dumps(self.url)}",) if self.url else ()

    @property
    def is_paid(self) -> bool:
        """Return whether calls are billed; those of a provider on this machine are not."""
        return not (self.url and urlsplit(self.url).hostname in _LOOPBACK)


def chosen(name: str | None, url: str | None) -> DemoModel | None:
    """Choose the model that a caller asks for; None means that the rehearsal answers.

    Args:
        name: The model's id or alias, as `stepward models` lists them.
        url: Where its provider is, if not at the vendor's own address.

    Raises:
        UnusableOption: The model is not known or cannot be asked from here, or its key is not set.
    """
    if not name:
        if url:
            raise UnusableOption(
                f"PROVIDER_URL={url} without MODEL: say which model to ask, as in MODEL=balanced"
            )
        return None
    provider = _provider_of(name)
    keys = provider_keys.take()
    found = DemoModel(name, provider, _address(url, provider), {})
    if url:
        _look_for(url)
    if provider in keys:
        return DemoModel(name, provider, found.url, {provider: keys[provider]})
    if not found.is_paid:
        return DemoModel(name, provider, found.url, {provider: _NO_KEY_NEEDED})
    raise UnusableOption(_what_to_set(name, provider))


def _look_for(url: str) -> None:
    """Check that a provider listens, before a laptop starts whose runs would wait for it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise UnusableOption(
            f"nobody answers at PROVIDER_URL={url} ({error}); start it, or leave it out."
        ) from error


def _what_to_set(name: str, provider: str) -> str:
    variable = KEY_VARIABLES.get(provider)
    if variable is None:
        return f"{name} is a model of {provider!r}, which needs an AWS account: the demo on a laptop cannot ask it."
    return (
        f"{name} is a model of {provider!r}, and its key is not set. "
        f"Type: export {variable}=…  and run this again; it is kept in memory only. "
        "Without MODEL the rehearsal answers and nobody is billed."
    )


def _address(url: str | None, provider: str) -> str | None:
    """Complete an address as the vendor's SDK wants it: OpenAI's paths begin after `/v1`."""
    if not url:
        return None
    bare = url.rstrip("/")
    return f"{bare}/v1" if provider == "openai" and not urlsplit(bare).path else bare


def _provider_of(name: str) -> str:
    """Look up whose model it is, in the same files that functions read."""
    models = _models()
    model = _read("aliases").get(name, name)
    if model not in models:
        raise UnusableOption(_unknown(name, models))
    return models[model]


def _unknown(name: str, models: Mapping[str, str]) -> str:
    near = get_close_matches(name.lower(), [*_read("aliases"), *models], n=3)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"there is no model {name[:_LONGEST_SHOWN]!r}. {meant}"
        "`stepward models` lists all that are; fast, balanced and deep stand for one each."
    )


@cache
def _models() -> dict[str, str]:
    tables = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(_DATA.glob("*.json")))
    return {model: table["provider"] for table in tables if "models" in table for model in table["models"]}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found
