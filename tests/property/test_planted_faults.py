"""Every promise of a run that is broken on purpose is noticed by as many schedules as the tests play."""

from __future__ import annotations

from functools import cache

import pytest

from stepward.testing.planted.catalog import PLANTED
from stepward.testing.planted.faults import PlantedFault
from stepward.testing.schedules.scenario import Outcome, Scenario
from tests.property.test_schedules import SCHEDULES

NOTICED_BY = {
    "allowance given back twice": 3, "kept allowance": 3, "overdrawn budget": 3, "payment without a yes": 3,
    "uncovered call": 3, "taken places": 4, "undeterred": 4, "no sweep": 5,
    "question left open at the end": 5, "two runs for a key": 5, "forgotten call": 6,
    "free slot without a wake-up": 6, "unbooked loss": 6, "effect after a cancel": 10, "orphan": 13,
    "question left open after a wait": 14, "price of another": 16, "known outcome": 17, "second effect": 17,
    "free summary": 18, "late result": 25, "old epoch": 25, "wait for what is over": 25,
    "epoch that is not started": 29, "free beginning": 31, "children left alone": 36, "second decision": 62,
    "asked again": 64, "answer without a word": 134,
}  # fmt: skip
"""The first schedule that notices a fault, where that is not the second: so that not all before it are played each time."""


@cache
def sound(seed: int) -> list[str]:
    """What a schedule breaks without any fault; many faults show in the same one."""
    return Scenario(seed).play().violations


def noticed(fault: PlantedFault) -> Outcome | None:
    """Play the schedule that is known to notice a fault; if it does so no more, look for another among all of them."""
    known = fault.first_noticed(1, first=NOTICED_BY.get(fault.name, 2))
    return known or fault.first_noticed(SCHEDULES)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_a_broken_promise_is_noticed(fault: PlantedFault) -> None:
    outcome = noticed(fault)
    assert outcome is not None, f"nothing shows that this does not hold: {fault.promise}"
    with fault.planted():
        assert Scenario(outcome.seed).play().violations == outcome.violations, "it cannot be replayed"
    assert sound(outcome.seed) == [], "the promise was broken without the fault, too"


def test_what_is_known_to_notice_a_fault_is_among_what_the_tests_play() -> None:
    assert NOTICED_BY.keys() <= {fault.name for fault in PLANTED}
    assert max(NOTICED_BY.values()) <= SCHEDULES


def test_there_is_one_for_each_promise() -> None:
    assert len({fault.name for fault in PLANTED}) == len({fault.promise for fault in PLANTED}) == len(PLANTED)
    assert len(PLANTED) >= 20


def test_a_fault_whose_part_is_gone_does_not_pass_unseen() -> None:
    for where in ("stepward.agents.run_slots:RunSlot.gone", "stepward.agents.run_slots:Gone.covered"):
        gone = PlantedFault("gone", "Nothing.", where, lambda sound: sound)
        with pytest.raises(LookupError, match="which is not there"):
            gone.first_noticed(1)


def test_what_was_broken_is_mended_again() -> None:
    for fault in PLANTED:
        places = [fault.where] if isinstance(fault.where, str) else fault.where
        before = [vars(owner)[name] for owner, name in map(fault.place, places)]
        with fault.planted():
            assert all(
                vars(owner)[name] is not was
                for (owner, name), was in zip(map(fault.place, places), before, strict=True)
            )
        assert [vars(owner)[name] for owner, name in map(fault.place, places)] == before
