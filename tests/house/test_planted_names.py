"""Planted faults name code by text; a rename that forgets one is found here at once, without playing a schedule."""

from __future__ import annotations

import pytest

from stepward.testing.planted.catalog import PLANTED
from stepward.testing.planted.faults import PlantedFault


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_what_a_planted_fault_breaks_is_there(fault: PlantedFault) -> None:
    places = [fault.where] if isinstance(fault.where, str) else fault.where
    assert [fault.place(place) for place in places]
