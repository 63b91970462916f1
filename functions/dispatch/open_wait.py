"""Opens one wait of a machine."""

from __future__ import annotations

from typing import Any

from stepward.agents.children import StartChild
from stepward.agents.open_wait import OpenWait, WaitRequest
from stepward.runtime import wiring
from stepward.runtime.entry import task
from stepward.tools.agent import SubAgent


@task("wait opened", WaitRequest)
def open_wait(request: WaitRequest, context: Any) -> dict[str, str]:
    """Keep the token and open what it stands for."""
    del context
    ports = wiring.run_ports()
    openers = {SubAgent.name: StartChild(ports, wiring.registry())}
    return {"call": request.call, "outcome": OpenWait(ports, wiring.definition, openers)(request)}
