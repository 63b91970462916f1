"""Positions in the run queue keep the name under which earlier releases have stored them."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError

from stepward.domain.journal import Created, Queued, Resume, parse_record
from stepward.domain.run_queue import QueuedRun, SlotState
from tests.support.builders import a_created

AT = "2026-01-01T00:00:00.000Z"
POSITION = f"1#{AT}#run_1"
STORED = [
    QueuedRun(tenant="acme", run="run_1", position=POSITION, seq=3, agent="helper"),
    SlotState(position=POSITION),
    Queued(at=AT, writer="one", position=POSITION),
    Resume(at=AT, writer="one", by="ann", position=POSITION),
    a_created().model_copy(update={"position": POSITION}),
]


@pytest.mark.parametrize("stored", STORED, ids=lambda one: type(one).__name__)
def test_a_position_is_stored_as_place(stored: BaseModel) -> None:
    kept = json.loads(stored.model_dump_json())
    assert kept["place"] == POSITION
    assert "position" not in kept
    assert stored.model_dump(mode="json")["place"] == POSITION
    assert type(stored).model_validate(kept) == stored


def test_records_of_earlier_releases_have_their_place() -> None:
    kept = json.loads(a_created().model_dump_json()) | {"place": POSITION}
    record = parse_record(json.dumps(kept))
    assert isinstance(record, Created)
    assert record.position == POSITION
    with pytest.raises(ValidationError):
        Queued.model_validate({"at": AT, "writer": "one"})
