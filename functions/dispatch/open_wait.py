"""Opens one wait of a machine."""

from __future__ import annotations

from typing import Any

from stepward.agents.waits import OpenWait, WaitRequest
from stepward.runtime import asking, wiring
from stepward.runtime.entry import task


@task("wait opened", WaitRequest)
def open_wait(request: WaitRequest, context: Any) -> dict[str, str]:
    """Keep the token and open what it stands for."""
    del context
    opened = OpenWait(wiring.run_ports(), wiring.definition, asking.openers())
    return {"call": request.call, "outcome": opened(request)}
