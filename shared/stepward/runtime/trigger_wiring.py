"""What triggers start, put together for the rooms that fire them and the one that defines them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepward.runtime import wiring
from stepward.runtime.config import settings

if TYPE_CHECKING:
    from stepward.adapters.aws.webhook_key import WebhookKey
    from stepward.domain.run_origins import Caller
    from stepward.domain.task_records import WorkflowHead
    from stepward.ports.events import Events
    from stepward.triggers.starts import Startables, Starters

# ruff: noqa: PLC0415  imports on first use: a room loads only what it calls


def starters() -> Starters:
    """The use cases that firings start."""
    from stepward.triggers.starts import Starters

    return Starters(wiring.start_run_case(), _start_workflow)


def startables() -> Startables:
    """The versions that triggers may name."""
    from stepward.runtime import workflow_wiring
    from stepward.triggers.starts import Startables

    return Startables(wiring.registry(), workflow_wiring.registry(), wiring.stage_answers())


def webhook_key(*, makes: bool = False) -> WebhookKey:
    """The key from which the secrets of webhooks are derived."""
    from stepward.adapters.aws.webhook_key import WebhookKey

    return WebhookKey(settings().need("webhook_key"), makes)


def bus() -> Events:
    """The stage's bus, on which applications put their events."""
    from stepward.adapters.aws.events import EventBridgeEvents

    return EventBridgeEvents(settings().need("event_bus"))


def _start_workflow(caller: Caller, workflow: str, body: Any, key: str | None) -> tuple[WorkflowHead, bool]:
    """Load what starts workflows when the first trigger names one: most name an agent."""
    from stepward.runtime import workflow_wiring

    start = replace(workflow_wiring.start_case(), may_begin_later=True)
    return start(caller, workflow, body, key)
