"""Wakes a run that waits in vain: an answer is in its journal, but whoever wrote it died before the machine heard of it."""

from __future__ import annotations

from stepward.agents.run_ports import RunPorts
from stepward.domain.journal import Parked
from stepward.domain.runs import RunHead


def wake_answered(ports: RunPorts, head: RunHead, parked: Parked) -> bool:
    """Send the wake-up of every answer that a waiting run has; safe to repeat, for a token is used once.

    time →   answer: result ✓ ─ ✗ dies        janitor, a minute later: result, token → woken
             dispatch: token ✓ ─ ✗ dies       its machine calls it again

    Args:
        ports: What runs stand on.
        head: The run that waits.
        parked: The record by which it began to wait.

    Returns:
        Whether all answers are there and no machine heard of one now: it goes on already, or it is gone.
    """
    if parked.reason != "answers":
        return False
    answered, heard = 0, False
    for call in parked.calls:
        item = ports.journal.call(head.key, call)
        if item is None or item.result is None:
            continue
        answered += 1
        token = ports.tokens.of(head.key, call)
        heard |= token is not None and ports.machine.answer(token)
    return answered == len(parked.calls) and not heard
