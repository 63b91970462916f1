"""What each effect of a run takes of AWS, for plans before a run and bills after it.

Units follow the published rule of DynamoDB's on-demand tables (1 KB a write, 4 KB a strongly consistent read, twice in a
transaction, each index an item is in once more); which items an effect writes, the adapters say in
`adapters/aws/{new_runs,runtime_state,workflow_runs,workflow_slots,approvals}.py`. Sizes are those of items that hold
nothing large; records are counted by their own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from stepward.domain.aws_prices import USD_MICROS_EACH


@dataclass(frozen=True)
class Units:
    """Amounts under the names by which AWS counts them; `writes` are items of any size."""

    writes: int = 0
    write_units: int = 0
    read_units: int = 0
    s3_gets: int = 0
    events: int = 0
    queue_messages: int = 0

    def __add__(self, other: Units) -> Units:
        """Add amounts."""
        return Units(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def times(self, count: int) -> Units:
        """Multiply all amounts."""
        return Units(**{one.name: getattr(self, one.name) * count for one in fields(self)})

    def priced(self) -> dict[str, int]:
        """Return the amounts that cost something, by the names that have a price."""
        return {name: getattr(self, name) for name in USD_MICROS_EACH if hasattr(self, name)}


# Items.


HEAD: Final = Units(writes=1, write_units=2)
"""A run's head, in a transaction."""
LISTS: Final = Units(write_units=3)
"""The three lists that a head is in, where what they are sorted by changes."""
SLOT: Final = Units(writes=1, write_units=2)
COUNTERS: Final = Units(writes=2, write_units=4)
"""Of the tenant's and of the account's slots."""
PLACE: Final = Units(writes=1, write_units=2)
"""In the run queue."""
COSTS: Final = Units(writes=1, write_units=2)
"""A line of the cost book."""
STANDING: Final = Units(writes=1, write_units=2)
"""The slot state of a workflow's run."""
BEGINNING: Final = Units(writes=1, write_units=2)
"""The start record of a workflow's run."""
INPUT: Final = Units(writes=1, write_units=2)
"""A small one; a larger one is in the bucket."""
OUTPUT: Final = Units(writes=1, write_units=1)
MARK: Final = Units(writes=1, write_units=1)
"""That an attempt, an effect or a body has begun; also a token, and a notice of a record in another latch."""
BUDGET_DRAWN: Final = Units(writes=1, write_units=3)
BUDGET_RETURNED: Final = Units(writes=1, write_units=2)
APPROVAL_ASKED: Final = Units(writes=1, write_units=3)
"""The approval with its list."""
APPROVAL_TOLD: Final = Units(writes=1, write_units=2)
APPROVAL_DECIDED: Final = Units(writes=1, write_units=4)

# Effects of an agent's run.

AGENT_STARTS: Final = HEAD + LISTS + SLOT + COUNTERS + Units(read_units=4)
"""Reads the caller's key, the agent and its version, and the definition once more where it is carried out."""
AGENT_ENDS: Final = HEAD + LISTS + SLOT + COUNTERS + COSTS
AGENT_QUEUES: Final = PLACE + PLACE + SLOT + COUNTERS + HEAD + Units(read_units=2, queue_messages=1)
"""Joins and leaves the queue, with the wake-up message; then it takes its slot."""
AGENT_PARKS: Final = SLOT + COUNTERS + HEAD
AGENT_CONTINUES: Final = HEAD + LISTS
"""In a new execution."""

# Effects of a workflow's run.

WORKFLOW_STARTS: Final = HEAD + LISTS + BEGINNING + INPUT + SLOT + COUNTERS + Units(read_units=2, s3_gets=1)
"""Without an Idempotency-Key; reads the caller's key and the version, whose program lies in the bucket."""
WORKFLOW_ENDS: Final = HEAD + LISTS + OUTPUT + COSTS + STANDING + SLOT + COUNTERS + Units(events=1)
"""Puts one event with the run's end."""
SLOT_MOVES: Final = SLOT + COUNTERS + STANDING + HEAD + LISTS
"""A workflow's run returns its slot before it waits, or takes one again."""
APPROVAL: Final = APPROVAL_ASKED + APPROVAL_TOLD + APPROVAL_DECIDED
LOOKS: Final = Units(read_units=2)
"""The start record, and the marks of a task; what else a read returns is counted by its size."""
UNDO_LOOKS: Final = Units(read_units=3)
"""The start record, and the compensation's state."""

TOKEN_BYTES: Final = 1_100
"""Of a task token and the name that it is kept under; Step Functions allows 2,048 and makes shorter ones."""
ITEM_BYTES: Final = 170
"""A record's item without its body: keys, kind, version, time, and the attributes' names."""
CHUNK_STATES: Final = 4
"""What waits for a chunk's execution, its question which items, the items, and its settling."""
