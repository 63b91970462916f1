"""The use cases about people who are asked, put together for the rooms that ask, look after and decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stepward.runtime import money, wiring
from stepward.runtime.task_answers import Answers

if TYPE_CHECKING:
    from stepward.agents.approval_reminders import RemindApprovers
    from stepward.agents.approvals import DecideApproval, ShowApprovals
    from stepward.agents.waits import Opener

# ruff: noqa: PLC0415  imports on first use: a room loads only what it calls


def openers() -> Mapping[str, Opener]:
    """Those who open what a run waits for."""
    from stepward.agents.waits import openers_of
    from stepward.runtime.child_workflows import open_call
    from stepward.tools.workflow import RunWorkflow

    own = openers_of(wiring.run_ports(), wiring.registry(), money.events())
    return {**own, RunWorkflow.name: open_call}


def tend_approvals_case() -> RemindApprovers:
    """The use case that looks after open approvals."""
    from stepward.agents.approval_reminders import RemindApprovers

    machine = wiring.run_machine()
    return RemindApprovers(
        wiring.approvals(), wiring.tokens(), machine, money.events(), wiring.clock(), Answers()
    )


def show_approvals_case() -> ShowApprovals:
    """The use case that shows approvals."""
    from stepward.agents.approvals import ShowApprovals

    return ShowApprovals(wiring.approvals(), wiring.journal(), wiring.clock())


def decide_approval_case() -> DecideApproval:
    """The use case that takes decisions."""
    from stepward.agents.approvals import DecideApproval

    return DecideApproval(
        approvals=wiring.approvals(),
        journal=wiring.journal(),
        runtime=wiring.runtime_state(),
        tokens=wiring.tokens(),
        machine=wiring.run_machine(),
        clock=wiring.clock(),
        tasks=Answers(),
    )
