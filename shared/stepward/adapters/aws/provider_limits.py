"""Counts and health of providers in the limits table.

PROVIDER#name#key   MINUTE#n   requests, tokens
PROVIDER#name       HEALTH     failed (the calls), failing_since, open_until, probe_until, until_… (keys set aside)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import Item, from_item, to_item
from stepward.adapters.provider_health import WINDOW_S, Health
from stepward.adapters.provider_limits import MINUTE_S, Count
from stepward.ports.providers import ProviderEntry

_ASIDE: Final = "until_"
_SET: Final = "SET expires_at = :expires"
_KEPT_S: Final = 86_400
_IS_CLOSED: Final = "attribute_not_exists(open_until)"
_AS_SEEN_OPEN: Final = "open_until = :seen"
_AS_SEEN_FAILING: Final = f"{_IS_CLOSED} AND failing_since = :seen"


@dataclass(frozen=True)
class DynamoLimitStore:
    """Keeps counts and health of providers in the limits table."""

    table: str

    def take(self, entry: ProviderEntry, key: str, minute: int, tokens: int) -> Count:
        """Count a call if the limits of its minute allow it.

        A minute has an item of its own, so that no count has to be reset.

        time →   limit 2:   A adds ✓ 1     B adds ✓ 2     C adds ✗ (2 is not < 2): C takes another key, or waits
                 next minute:   C adds ✓ 1 (another item)
        """
        limits = {"requests": entry.requests_per_minute, "tokens": entry.tokens_per_minute}
        added = {"requests": 1, "tokens": tokens}
        bounded = [name for name, most in limits.items() if most is not None]
        conditions = [f"(attribute_not_exists(#{name}) OR #{name} <= :most_{name})" for name in bounded]
        values = {f":most_{name}": (limits[name] or 0) - added[name] for name in bounded}
        try:
            with translated(f"counting a call of {entry.name}"):
                said = self._update(
                    {"pk": f"PROVIDER#{entry.name}#{key}", "sk": f"MINUTE#{minute}"},
                    f"{_SET} ADD #requests :one, #tokens :tokens",
                    " AND ".join(conditions),
                    {**values, ":one": 1, ":tokens": tokens, ":expires": (minute + 5) * MINUTE_S},
                    names={"#requests": "requests", "#tokens": "tokens"},
                )
        except _ConditionFailed as failed:
            return _count(failed.item, is_taken=False)
        return _count(said, is_taken=True)

    def health(self, provider: str) -> Health:
        """Read a provider's health, eventually consistent, as a process's own copy is too."""
        with translated(f"reading the health of {provider}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=to_item(_health_key(provider)))
        return _health(found.get("Item", {}))

    def begin(self, provider: str, call: str, now_s: int) -> Health | None:
        """Begin a count of failures.

        time →   A fails: begins ✓ {a}                  B fails: begins ✗ (one is going on) → counts ✓ {a, b}
                 60 s later C fails: begins ✓ {c}       an opened one: begins ✗, there is nothing to count
        """
        return self._change(
            provider,
            f"{_SET}, failed = :calls, failing_since = :now",
            f"{_IS_CLOSED} AND (attribute_not_exists(failing_since) OR failing_since <= :long_ago)",
            {":calls": {call}, ":now": now_s, ":long_ago": now_s - WINDOW_S},
            now_s,
        )

    def count(self, provider: str, call: str, now_s: int) -> Health | None:
        """Add a failed call; a set holds each call once.

        time →   A's call a fails: {a}    a again: {a}    B's call b: {a, b}    a call succeeds: gone    c: ✗ → begins
        """
        return self._change(
            provider,
            f"{_SET} ADD failed :calls",
            f"{_IS_CLOSED} AND failing_since > :long_ago",
            {":calls": {call}, ":long_ago": now_s - WINDOW_S},
            now_s,
        )

    def open(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Open the circuit: make no calls to the provider for a while.

        time →   A counts the 5th, opens ✓              B counts the 6th meanwhile, opens ✗ (it is open)
                 a success forgets the five             A, slow, opens ✗ (that count is gone)
                 the probe fails, opens ✓               an older call fails, opens ✗ (it was opened again)
        """
        change = f"{_SET}, open_until = :until REMOVE failed, failing_since, probe_until"
        return self._change(provider, change, *_as_seen(seen, {":until": until_s}), now_s)

    def close(self, provider: str, seen: Health, now_s: int) -> Health | None:
        """Close the circuit and forget the failures.

        time →   A fails {a}    B succeeds, forgets ✓     C succeeds, forgets ✗ (nothing is there)
                 B read {a}; five fail, it is opened      B succeeds, forgets ✗ (it is open)
        """
        change = f"{_SET} REMOVE failed, failing_since, open_until, probe_until"
        return self._change(provider, change, *_as_seen(seen, {}), now_s)

    def probe(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Become the process that probes.

        time →   its time is over    A tries ✓ for 60 s    B tries ✗ (A does)    A dies    60 s later B tries ✓
                 A succeeds, forgets    C, that read it open, tries ✗ (it is not) → reads it again, and calls
        """
        return self._change(
            provider,
            f"{_SET}, probe_until = :until",
            f"{_AS_SEEN_OPEN} AND (attribute_not_exists(probe_until) OR probe_until <= :now)",
            {":until": until_s, ":seen": seen.open_until_s, ":now": now_s},
            now_s,
        )

    def set_aside(self, provider: str, subject: str, until_s: int, over: Sequence[str], now_s: int) -> Health:
        """Set a key aside for a while; the newest time replaces an older one."""
        names = {"#new": f"{_ASIDE}{subject}"} | {
            f"#old{place}": f"{_ASIDE}{name}" for place, name in enumerate(over) if name != subject
        }
        gone = [name for name in names if name != "#new"]
        change = f"{_SET}, #new = :until" + (f" REMOVE {', '.join(gone)}" if gone else "")
        found = self._change(provider, change, "", {":until": until_s}, now_s, names)
        return found or Health()

    def _change(
        self,
        provider: str,
        change: str,
        condition: str,
        values: Mapping[str, object],
        now_s: int,
        names: Mapping[str, str] | None = None,
    ) -> Health | None:
        """Update a provider's health on a condition; the item expires a day after its last change."""
        values = {**values, ":expires": now_s + _KEPT_S}
        try:
            with translated(f"noting the health of {provider}"):
                item = self._update(_health_key(provider), change, condition, values, names)
        except _ConditionFailed:
            return None
        return _health(item)

    def _update(
        self,
        key: Mapping[str, str],
        change: str,
        condition: str,
        values: Mapping[str, object],
        names: Mapping[str, str] | None = None,
    ) -> Item:
        """Update an item and return it as it is then, in DynamoDB's types."""
        options = {
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD" if condition else None,
            "ExpressionAttributeNames": names,
        }
        try:
            said = client("dynamodb").update_item(
                TableName=self.table,
                Key=to_item(dict(key)),
                UpdateExpression=change,
                ExpressionAttributeValues=to_item(dict(values)),
                ReturnValues="ALL_NEW",
                **{name: value for name, value in options.items() if value},
            )
        except ClientError as error:
            if error_code(error) != CONDITION_FAILED:
                raise
            raise _ConditionFailed(error.response.get("Item", {})) from None
        item: Item = said["Attributes"]
        return item


class _ConditionFailed(Exception):
    """The condition failed; `item` is what the table holds."""

    def __init__(self, item: Item) -> None:
        super().__init__("the condition does not hold")
        self.item = item


def _as_seen(seen: Health, values: dict[str, int]) -> tuple[str, dict[str, int]]:
    """Return the condition that a provider's health is still what was seen.

    It is: opened at the same time, or in the same count of failures.
    """
    if seen.open_until_s:
        return _AS_SEEN_OPEN, {**values, ":seen": seen.open_until_s}
    return _AS_SEEN_FAILING, {**values, ":seen": seen.failing_since_s}


def _health_key(provider: str) -> dict[str, str]:
    return {"pk": f"PROVIDER#{provider}", "sk": "HEALTH"}


def _count(item: Item, *, is_taken: bool) -> Count:
    found = from_item(item)
    return Count(is_taken, found.get("requests", 0), found.get("tokens", 0))


def _health(item: Item) -> Health:
    found = from_item(item)
    return Health(
        failed=frozenset(found.get("failed", ())),
        failing_since_s=found.get("failing_since", 0),
        open_until_s=found.get("open_until", 0),
        probe_until_s=found.get("probe_until", 0),
        aside={name.removeprefix(_ASIDE): until for name, until in found.items() if name.startswith(_ASIDE)},
    )
