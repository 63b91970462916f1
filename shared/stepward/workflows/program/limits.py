"""State what machines and records of runs hold, where compiler, checks, planner and runs must agree.

A fact that only one of them uses stands there.
"""

from __future__ import annotations

from typing import Final

# Histories of executions.

MOST_EVENTS: Final = 25_000
"""Of one execution's history; at the next the service ends the execution."""
PLANNED_EVENTS: Final = MOST_EVENTS * 4 // 5
EVENTS_OF_ROUND: Final = 2
"""A Map tells of the begin and of the end of each item, beside what its states take."""

# Tries.

HEAL_S: Final = 900
"""How long an await trusts that somebody comes; then it asks again, for the case that the word was lost."""
FAULTS_FORGIVEN: Final = 30
"""How often an await tries again, a second apart, when its write did not come through."""
CRASHES_FORGIVEN: Final = 2
"""How often a task runs again whose process died; then only its failure is kept, in the third that is left by default."""
RETRIED_BY_RULE: Final = ("TaskRetry", "States.Timeout")
"""The errors that a machine tries again because a document's rule or time says so."""

# Records.

SHARED_BYTES: Final = 1_000
"""Of an output in an item that several tasks write: each write of it costs the whole item."""
OWN_BYTES: Final = 100_000
"""Of an output in an item of its task's own; a larger one is kept apart."""
SLICE_ITEMS: Final = 100
"""Of a large foreach's items that are kept, and read, together."""
MOST_UNDOINGS: Final = 3
"""How often undoing is begun; what was undone is kept, so that a further execution does the rest only."""

# Runs within runs.

DEEPEST_NESTING: Final = 5
"""How many workflows may wait for each other in a row."""
