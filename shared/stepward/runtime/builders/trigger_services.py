"""Make the services of triggers: what defines them, shows them and fires them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepward.domain.run_origins import Caller
    from stepward.domain.task_records import WorkflowHead
    from stepward.runtime.container import Container
    from stepward.triggers.define import Defined, DefineTriggers
    from stepward.triggers.fire import Fire, Receive
    from stepward.triggers.http_events import PutTriggerEvent, ReceiveWebhook
    from stepward.triggers.show import ShowTriggers, TryTrigger
    from stepward.triggers.starts import Startables

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class TriggerServices:
    """Services of triggers, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def define(self) -> DefineTriggers:
        """Adds, replaces and removes triggers, and rotates their secrets."""
        from stepward.triggers.define import DefineTriggers

        return DefineTriggers(
            self._ports.triggers,
            self._ports.schedules,
            self._startables,
            self._ports.clock,
            self._container.settings.event_sources,
            self._ports.webhook_key(makes=True),
        )

    @cached_property
    def show(self) -> ShowTriggers:
        """Lists and shows triggers."""
        from stepward.triggers.show import ShowTriggers

        return ShowTriggers(self._ports.triggers, self._ports.clock)

    def view(self, defined: Defined) -> dict[str, Any]:
        """Return a defined trigger as the API shows it, with its secret where that is new.

        Args:
            defined: What `define` gave.
        """
        from stepward.triggers.show import trigger_view

        secret = {"secret": defined.secret} if defined.secret else {}
        return {**trigger_view(defined.kept), **secret}

    @cached_property
    def attempt(self) -> TryTrigger:
        """Says what an event would start, and starts nothing."""
        from stepward.triggers.show import TryTrigger

        return TryTrigger(self._ports.triggers, self._startables)

    @cached_property
    def put_event(self) -> PutTriggerEvent:
        """Puts an event for a trigger."""
        from stepward.triggers.http_events import PutTriggerEvent

        sources = self._container.settings.event_sources
        return PutTriggerEvent(self._ports.triggers, self._ports.stage_bus, sources)

    @cached_property
    def receive_event(self) -> Receive:
        """Fires the triggers that wait for an event of a bucket, a bus or a schedule."""
        from stepward.triggers.fire import Receive

        fire = replace(self._fire, datasets=self._ports.datasets)
        sources = self._container.settings.event_sources
        return Receive(self._ports.triggers, fire, self._ports.clock, sources)

    @cached_property
    def receive_webhook(self) -> ReceiveWebhook:
        """Fires the trigger whose secret has signed a call."""
        from stepward.triggers.http_events import ReceiveWebhook

        key = self._ports.webhook_key()
        return ReceiveWebhook(self._ports.triggers, self._fire, self._ports.clock, key)

    @cached_property
    def _fire(self) -> Fire:
        from stepward.triggers.fire import Fire
        from stepward.triggers.starts import Starters

        starters = Starters(self._container.runs.start, self._start_workflow)
        return Fire(self._ports.triggers, starters, self._ports.clock)

    @cached_property
    def _startables(self) -> Startables:
        from stepward.triggers.starts import Startables

        answers = self._container.agents.stage_answers
        return Startables(self._ports.registry, self._ports.workflow_registry, answers)

    def _start_workflow(
        self, caller: Caller, workflow: str, body: Any, key: str | None
    ) -> tuple[WorkflowHead, bool]:
        """Load what starts workflows when the first trigger names one: most name an agent."""
        start = replace(self._container.workflow_runs.start, may_begin_later=True)
        return start(caller, workflow, body, key)
