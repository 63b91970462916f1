"""Set, add, list and remove keys of providers: `python -m stepward.runtime.provider_keys set --provider anthropic --stage prod`.

Run by an operator with AWS credentials, because no tenant may read or set keys. The value comes from standard input, or
is asked for where that is a terminal; it is never an argument, which other users of the machine could read, and it is
printed by nothing. Functions use a new key within five minutes, or at once when their provider refuses the one they have.
`set` leaves the given key alone in the pool; `add` gives the pool one more, or replaces the one of the same id. Both
refuse a provider that the stage has not, except with `--force`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from getpass import getpass
from typing import Final

from stepward.domain.errors import InvalidRequest, StepwardError
from stepward.domain.ids import PROVIDER_PATTERN, TENANT_PATTERN, check_id
from stepward.domain.nearest import choices_with_nearest
from stepward.domain.provider_pools import Pool, StoredKey, new_key
from stepward.ports.clock import iso
from stepward.ports.providers import BUILT_IN, SHARED, ProviderEntry, ProviderPools
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
    raise InvalidRequest(what, field="provider", fix=_unknown_fix(provider, sorted(found), stage))


def _check_takes_key(entry: ProviderEntry) -> None:
    if not entry.takes_key:
        raise InvalidRequest(
            f"{entry.name!r} takes no key: the function's own role is let in.",
            field="provider",
            fix="allow the role to call its models",
        )


def _unknown_fix(provider: str, known: list[str], stage: str) -> str:
    return choices_with_nearest(
        provider,
        known,
        f"use one of {', '.join(known)}; deploy the stage with [providers.{provider}] in "
        f"infra/config/{stage}.toml; or add --force, to set the key first",
    )


_DEFAULT_ID: Final = "default"
_STAGE_PATTERN: Final = r"[a-z][a-z0-9]{1,15}"
_LONGEST_INPUT: Final = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Set, add, list or remove keys and print the pool as it is then; return the exit code."""
    chosen = _read(arguments)
    try:
        sys.stdout.write(_done(chosen, container.ports.provider_pools(chosen.stage)))
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}{f' Fix: {error.fix}.' if error.fix else ''}\n")
        return 1
    return 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stepward.runtime.provider_keys", description=__doc__)
    parser.add_argument("action", choices=("set", "add", "ls", "remove"))
    parser.add_argument("--stage", required=True, help="the stage whose keys are meant, as prod")
    parser.add_argument(
        "--provider", help="the name of the provider's entry, as anthropic; of a list, which are shown"
    )
    parser.add_argument("--tenant", help="whose own keys are meant; without it those of all who have none")
    parser.add_argument("--id", help=f"what the key is called (of a new one: {_DEFAULT_ID})")
    parser.add_argument(
        "--force", action="store_true", help="set or add it though the stage has no such provider"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen, unknown = parser.parse_known_args(arguments)
    if unknown:  # it may be the key, so that nothing of it is repeated
        parser.error(
            "there are words too many; the key itself comes from standard input, never as an argument"
        )
    if not re.fullmatch(_STAGE_PATTERN, chosen.stage):
        parser.error("--stage: a stage is 2 to 16 small letters and digits")
    if chosen.action != "ls" and not chosen.provider:
        parser.error(f"{chosen.action} needs --provider")
    if chosen.action == "ls" and chosen.id:
        parser.error("--id is for set, add and remove only")
    return chosen


def _done(chosen: argparse.Namespace, pools: ProviderPools) -> str:
    if chosen.provider:
        check_id("provider", chosen.provider, PROVIDER_PATTERN)
    if chosen.tenant:
        _check_tenant(chosen.tenant)
    if chosen.action == "ls":
        return _listed(chosen, pools)
    if chosen.action == "remove":
        return _removed(chosen, pools)
    return _kept(chosen, pools)


def _check_tenant(tenant: str) -> None:
    check_id("tenant", tenant, TENANT_PATTERN)
    if tenant == SHARED:
        raise InvalidRequest(
            f"{SHARED!r} is reserved: it means all tenants without keys of their own.",
            field="tenant",
            fix="leave --tenant out",
        )


def _kept(chosen: argparse.Namespace, pools: ProviderPools) -> str:
    if said := check_entry(chosen.provider, chosen.stage, force=chosen.force):
        sys.stderr.write(f"{said}\n")
    owner = chosen.tenant or SHARED
    key = new_key(chosen.id or _DEFAULT_ID, _value(chosen.provider), iso(container.ports.clock.now()))
    before = pools.read(chosen.provider, owner) if chosen.action == "add" else None
    pool = (before or Pool(keys=())).with_key(key)
    pools.write(chosen.provider, owner, pool)
    return _shown(chosen, [(chosen.provider, owner, one) for one in pool.keys])


def _value(provider: str) -> str:
    """Ask for the key without showing it, or read it from standard input."""
    if sys.stdin.isatty():
        return getpass(f"Key of {provider} (it is not shown): ").strip()
    return sys.stdin.read(_LONGEST_INPUT).strip()


def _removed(chosen: argparse.Namespace, pools: ProviderPools) -> str:
    owner = chosen.tenant or SHARED
    pool = pools.read(chosen.provider, owner) or Pool(keys=())
    only = pool.keys[0].id if len(pool.keys) == 1 else None
    if chosen.id is None and only is None:
        known = ", ".join(key.id for key in pool.keys) or "none at all"
        raise InvalidRequest(f"no key is named; there is {known}.", field="id", fix="give --id")
    left = pool.without_key(chosen.id or str(only))
    pools.write(chosen.provider, owner, left)
    return _shown(chosen, [(chosen.provider, owner, key) for key in left.keys])


def _listed(chosen: argparse.Namespace, pools: ProviderPools) -> str:
    wanted = [
        (provider, owner)
        for provider, owner in pools.names()
        if chosen.provider in (None, provider) and chosen.tenant in (None, owner)
    ]
    found = [(provider, owner, pools.read(provider, owner)) for provider, owner in wanted]
    return _shown(
        chosen, [(provider, owner, key) for provider, owner, pool in found if pool for key in pool.keys]
    )


def _shown(chosen: argparse.Namespace, keys: list[tuple[str, str, StoredKey]]) -> str:
    if chosen.json:
        rows = [
            {
                "provider": provider,
                "tenant": None if owner == SHARED else owner,
                "id": key.id,
                "ends_in": key.ending,
                "added_at": key.added_at,
            }
            for provider, owner, key in keys
        ]
        return json.dumps(rows, indent=2) + "\n"
    if not keys:
        return "no keys\n"
    head = ("provider", "tenant", "id", "key", "added")
    lines = [
        head,
        *((name, owner, key.id, key.ending or "set", key.added_at or "unknown") for name, owner, key in keys),
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
