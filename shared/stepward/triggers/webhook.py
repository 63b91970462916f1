"""Receive webhooks: only a call signed with the trigger's secret may start its target.

Other callers do not even learn whether the trigger exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.errors import Conflict, InvalidRequest
from stepward.domain.ids import TENANT_PATTERN, check_id
from stepward.domain.json_text import NotJson, NotText, fault_of, read_json, text_of
from stepward.domain.signatures import refused, secret_of, verified_id
from stepward.domain.triggers import TRIGGER_ID_PATTERN, KeptTrigger, TriggerKind
from stepward.ports.clock import Clock
from stepward.ports.triggers import HookSecret, Triggers
from stepward.triggers.fire import Fire, Fired

_NOBODYS: Final = HookSecret(secret="seed_" + "0" * 64, created_at="")


@dataclass(frozen=True)
class ReceiveWebhook:
    """The use case behind `POST /hooks/{tenant}/{trigger_id}`."""

    triggers: Triggers
    fire: Fire
    clock: Clock
    key: Callable[[], bytes]
    """Reads the key from which secrets are derived."""

    def __call__(self, tenant: str, trigger_id: str, headers: Mapping[str, str], body: bytes) -> Fired:
        """Start the trigger's target once per `webhook-id`.

        Errors are raised, so that the sender sees them.
        """
        secret = self._secret(tenant, trigger_id)
        now = self.clock.now()
        kept_ones = _valid(secret or _NOBODYS, now.timestamp())
        valid = [secret_of(one, tenant, trigger_id, self.key) for one in kept_ones]
        # An unknown trigger is checked against a dummy secret, so that answer and duration equal a wrong signature's.
        webhook_id = verified_id(valid, headers, body, now)
        kept = self.triggers.trigger(tenant, trigger_id) if secret else None
        if kept is None or kept.trigger.kind is not TriggerKind.WEBHOOK:
            raise refused("no signature fits")
        fired = self.fire(_enabled(kept), webhook_id, _event(webhook_id, headers, body))
        if fired.error:
            raise fired.error
        return fired

    def _secret(self, tenant: str, trigger_id: str) -> HookSecret | None:
        check_id("tenant", tenant, TENANT_PATTERN)
        check_id("trigger_id", trigger_id, TRIGGER_ID_PATTERN)
        return self.triggers.secret(tenant, trigger_id)


def _valid(secret: HookSecret, now_s: float) -> list[str]:
    before = secret.before if (secret.before_until or 0) > now_s else None
    return [secret.secret, *([before] if before else [])]


def _enabled(kept: KeptTrigger) -> KeptTrigger:
    if not kept.trigger.enabled:
        raise Conflict(
            "this webhook is disabled.", field="trigger_id", fix="enable the trigger with PUT /triggers/{id}"
        )
    return kept


def _event(webhook_id: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    return {"id": webhook_id, "time_s": int(headers["webhook-timestamp"]), "body": _read(body)}


def _read(body: bytes) -> Any:
    """Parse the body as JSON if possible, else as text."""
    try:
        text = text_of(body)
    except NotText as error:
        raise InvalidRequest(f"the body is not text: {error}.", field="body", fix="send UTF-8") from error
    try:
        value = read_json(text)
    except NotJson as error:
        if error.path:
            raise InvalidRequest(
                f"the body cannot be kept: {error}.",
                field=f"body.{error.path}",
                fix=error.fix,
            ) from error
        return text
    fault = fault_of(value)
    if fault:
        raise InvalidRequest(f"the body cannot be kept: {fault}.", field="body", fix="send plain JSON")
    return value
