"""Who opens which wait: one entry a tool that somebody else answers, and one for the guard of any tool."""

from __future__ import annotations

from collections.abc import Mapping

from stepward.agents.ask import AskFirst, AskPerson
from stepward.agents.children import StartChild
from stepward.agents.open_wait import GUARD, Opener
from stepward.agents.run_ports import RunPorts
from stepward.agents.tend_approvals import TendApprovals
from stepward.ports.events import Events
from stepward.ports.registry import Registry
from stepward.tools.agent import SubAgent
from stepward.tools.ask_person import AskPerson as AskPersonTool


def openers_of(ports: RunPorts, registry: Registry, events: Events) -> Mapping[str, Opener]:
    """Make all openers."""
    tend = TendApprovals(ports.approvals, ports.tokens, ports.machine, events, ports.clock)
    return {
        SubAgent.name: StartChild(ports, registry),
        AskPersonTool.name: AskPerson(ports, tend),
        GUARD: AskFirst(ports, tend),
    }
