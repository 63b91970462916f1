"""Manage triggers, which start agents and workflows without a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast

from stepward.domain.signatures import sign
from stepward.sdk.errors import BadCall
from stepward.sdk.transport import Transport, path_to


class TriggerError(TypedDict):
    """Why a firing started nothing."""

    code: str
    detail: str
    at: str


class TriggerState(TypedDict):
    """What a trigger has done so far."""

    started: int
    duplicate: int
    failed: int
    last_fired_at: str | None
    last_event: str | None
    last_run: str | None
    last_error: TriggerError | None


class Trigger(TypedDict):
    """A trigger; only its creation has a `secret`, lists leave `state` and `next` out."""

    id: str
    kind: str
    agent: NotRequired[str]
    workflow: NotRequired[str]
    version: NotRequired[str]
    description: str
    input: Any
    enabled: bool
    priority: NotRequired[str]
    rehearse: NotRequired[bool]
    charge: NotRequired[bool]
    s3: NotRequired[dict[str, Any]]
    event: NotRequired[dict[str, Any]]
    schedule: NotRequired[dict[str, Any]]
    path: NotRequired[str]
    secret: NotRequired[str]
    state: NotRequired[TriggerState]
    next: NotRequired[list[str]]
    created_at: str
    created_by: str
    changed_at: str
    revision: int


class Unmatched(TypedDict):
    """Counts of what arrived today and matched no trigger."""

    objects: int
    events: int
    last_at: str | None
    last: str | None


class TriggerPage(TypedDict):
    """Triggers by id; `next_cursor` asks for the page after it, None at the end."""

    triggers: list[Trigger]
    next_cursor: str | None
    unmatched_today: Unmatched


class TriggerTrial(TypedDict):
    """The request that an event would have started."""

    starts: bool
    fits: bool
    enabled: bool
    would_start: dict[str, Any] | None
    error: dict[str, Any] | None


class PutEvent(TypedDict):
    """An event that was put on the stage's bus for a trigger."""

    trigger: str
    event: dict[str, Any]


class HookAnswer(TypedDict):
    """The run of a webhook call; `is_new` is False if the same call started it before."""

    run: str | None
    is_new: bool


class TriggerClient:
    """Create, read, change, test and remove triggers: `stepward.triggers`.

    Example:
        >>> stepward.triggers.list()["next_cursor"] is None
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def add(self, trigger: Mapping[str, Any]) -> Trigger:
        """Create a trigger; the same one again changes nothing.

        Args:
            trigger: Its fields, as its YAML file has them.

        Returns:
            The trigger; only this answer has a new webhook's `secret`.

        Raises:
            ApiError: `InvalidRequest` with `field`, or `Conflict` if it exists with other fields.
        """
        return cast("Trigger", self._wire.post("/triggers", dict(trigger)))

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> TriggerPage:
        """List triggers by id, one page at a time.

        Args:
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page, and what fitted no trigger today.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        return cast("TriggerPage", self._wire.get("/triggers", {"limit": limit, "cursor": cursor}))

    def show(self, trigger_id: str) -> Trigger:
        """Return a trigger with what it did and when it fires next.

        Args:
            trigger_id: The trigger's id.

        Returns:
            The trigger.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Trigger", self._wire.get(path_to("triggers", trigger_id)))

    def replace(self, trigger: Mapping[str, Any]) -> Trigger:
        """Replace a trigger's fields; its id and kind stay.

        Args:
            trigger: All of its fields.

        Returns:
            The trigger as it is now.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` with `field`.
        """
        return cast("Trigger", self._wire.put(path_to("triggers", str(trigger.get("id", ""))), dict(trigger)))

    def remove(self, trigger_id: str) -> None:
        """Remove a trigger; runs that it started go on.

        Args:
            trigger_id: The trigger's id.

        Raises:
            ApiError: `NotFound`.
        """
        self._wire.delete(path_to("triggers", trigger_id))

    def attempt(self, trigger_id: str, event: Mapping[str, Any]) -> TriggerTrial:
        """Return what an event would start; nothing starts.

        Args:
            trigger_id: The trigger's id.
            event: The event, as the template sees it in `$event`.

        Returns:
            Whether it fits, and the request that would be sent.

        Raises:
            ApiError: `NotFound`.
        """
        path = path_to("triggers", trigger_id, "test")
        return cast("TriggerTrial", self._wire.post(path, {"event": dict(event)}))

    def put_event(self, trigger_id: str, event: Mapping[str, Any]) -> PutEvent:
        """Put an event on the stage's bus that fires this trigger.

        Args:
            trigger_id: A trigger of kind event.
            event: `{"detail-type": …, "detail": {…}}`; the source is the trigger's.

        Returns:
            The event as it was put; `show(trigger_id)["state"]` has what it started, a moment later.

        Raises:
            ApiError: The event does not fit, or the trigger is of another kind.
        """
        return cast(
            "PutEvent", self._wire.post(path_to("triggers", trigger_id, "fire"), {"event": dict(event)})
        )

    def call(self, path: str, body: bytes, secret: str, *, at: datetime, call_id: str) -> HookAnswer:
        """Make a signed call to a webhook, as a sender outside would (Standard Webhooks).

        Args:
            path: The trigger's `path`.
            body: What the template sees as `$event.body`.
            secret: The trigger's secret (whsec_…).
            at: The time of the call; more than 300 s from now is refused.
            call_id: The `webhook-id`; the same id again starts nothing new.

        Returns:
            The run that the call started.

        Raises:
            ApiError: The signature or the body was refused.
            BadCall: The secret cannot be read.
        """
        timestamp_s = int(at.timestamp())
        try:
            signature = sign(secret, call_id, timestamp_s, body)
        except ValueError as error:
            raise BadCall("The secret cannot be read.", "Copy it whole: whsec_… .") from error
        headers = {
            "webhook-id": call_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature,
        }
        return cast("HookAnswer", self._wire.post_signed(path, body, headers))

    def rotate(self, trigger_id: str, *, overlap_s: int = 3_600) -> str:
        """Give a webhook a new secret.

        Args:
            trigger_id: The trigger's id.
            overlap_s: Seconds for which the old secret stays valid, at most 86,400. Default: 3,600.

        Returns:
            The new secret, which is shown only here.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` for a trigger that is no webhook.
        """
        answer = self._wire.post(path_to("triggers", trigger_id, "secret"), {"overlap_s": overlap_s})
        return str(answer["secret"])
