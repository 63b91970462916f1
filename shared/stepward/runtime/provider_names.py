"""Refuse keys of providers that a stage does not have, because no call would use them."""

from __future__ import annotations

from stepward.domain.errors import InvalidRequest, StepwardError
from stepward.domain.nearest import choices_with_nearest
from stepward.ports.providers import BUILT_IN, ProviderEntry
from stepward.runtime.container import container


def check_entry(provider: str, stage: str, *, force: bool) -> str | None:
    """Refuse a key that no call would use.

    Args:
        provider: The name that was given.
        stage: Whose entries are asked for; the built-in ones every stage has.
        force: Whether a name is taken that the stage has not, as before the deployment that brings it.

    Returns:
        The warning about a name that was taken by force; None where there is none.

    Raises:
        InvalidRequest: The provider takes no key, or the stage has none of that name and `force` is off.
    """
    built_in = {entry.name: entry for entry in BUILT_IN}
    why_unknown = ""
    entries: tuple[ProviderEntry, ...] | None = BUILT_IN
    if provider not in built_in:
        try:
            entries = container.ports.stage_providers(stage)
        except StepwardError as error:
            entries, why_unknown = None, f" ({error.detail})"
    found = {entry.name: entry for entry in entries or ()} | built_in
    if provider in found:
        _check_takes_key(found[provider])
        return None
    if entries is None:
        what = f"whether the stage {stage!r} has a provider {provider!r} cannot be seen{why_unknown or ': it is not deployed'}."
    else:
        what = f"the stage {stage!r} has no provider {provider!r}."
    if force:
        return f"{what} Nothing uses this key until it has."
    raise InvalidRequest(what, field="provider", fix=_fix(provider, sorted(found), stage))


def _check_takes_key(entry: ProviderEntry) -> None:
    if not entry.takes_key:
        raise InvalidRequest(
            f"{entry.name!r} takes no key: the function's own role is let in.",
            field="provider",
            fix="allow the role to call its models",
        )


def _fix(provider: str, known: list[str], stage: str) -> str:
    return choices_with_nearest(
        provider,
        known,
        f"use one of {', '.join(known)}; deploy the stage with [providers.{provider}] in "
        f"infra/config/{stage}.toml; or add --force, to set the key first",
    )
