"""Limits of machines, records and nesting that several parts of workflows share.

A limit that only one module uses is defined there.
"""

from __future__ import annotations

from typing import Final

# Histories of executions.

MOST_EVENTS: Final = 25_000
"""Events of one execution's history; at the next the service ends the execution."""
PLANNED_EVENTS: Final = MOST_EVENTS * 4 // 5
EVENTS_OF_ROUND: Final = 2
"""Events that a Map records when an item begins and ends, beside those of its states."""

# Tries.

AWAIT_RETRY_S: Final = 900
"""Seconds that an await waits for its token; then it asks again, in case the answer was lost."""
AWAIT_FAULT_RETRIES: Final = 30
"""How often an await retries a write that did not come through, a second apart."""
CRASH_RETRIES: Final = 2
"""How often a task is retried whose process died; the third attempt only records its failure."""
RETRIED_BY_RULE: Final = ("TaskRetry", "States.Timeout")
"""The errors that a machine retries because of a document's retry rule or time limit."""

# Records.

SHARED_BYTES: Final = 1_000
"""Bytes of an output kept in an item that several tasks write: each write costs the whole item."""
OWN_BYTES: Final = 100_000
"""Bytes of an output kept in an item of its task's own; a larger one is stored apart."""
SLICE_ITEMS: Final = 100
"""Items of a large foreach that are stored and read together."""
MOST_COMPENSATIONS: Final = 3
"""How often compensation is attempted; each attempt does only what is left."""

# Runs within runs.

DEEPEST_NESTING: Final = 5
"""How many workflows may wait for each other in a chain."""
