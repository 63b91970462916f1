"""Makes a call to DynamoDB again that met somebody else's transaction: it was refused for the moment, not for good.

The SDK retries no such refusal, and every slot of a tenant is counted on the same few items.
"""

from __future__ import annotations

import random
from typing import Any, Final

MOST_TRIES: Final = 10
FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.5
CONFLICT: Final = "TransactionConflict"
REASON_THROTTLES: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


def pause_s(response: tuple[Any, dict[str, Any]] | None = None, attempts: int = 1, **_: Any) -> float | None:
    """Say how long to wait before the same call is made again; None where that would not help.

    time →   run A's end:    transaction on the tenant's counter ─────── ✓
             run B's start:          transaction on the counter ✗ refused ─ pause ─ again ✓
    A refused transaction has done nothing, so it may be sent again as it is.
    """
    if response is None or attempts >= MOST_TRIES or not _is_contended(response[1]):
        return None
    most_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempts)
    return random.uniform(FIRST_PAUSE_S / 2, most_s)  # noqa: S311  spreads those who collided, keeps no secret


def _is_contended(answer: dict[str, Any]) -> bool:
    if answer.get("Error", {}).get("Code") == f"{CONFLICT}Exception":
        return True
    reasons = {reason.get("Code") for reason in answer.get("CancellationReasons", [])}
    return CONFLICT in reasons or bool(REASON_THROTTLES & reasons)
