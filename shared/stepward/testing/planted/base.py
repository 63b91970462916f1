"""Plant faults on purpose, each against one promise.

A test that does not notice one proves nothing. A fault names what it replaces, and raises `LookupError` once that name is
gone, so that it is rewritten together with the code that it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from stepward.testing.schedules.scenario import Outcome, Scenario

Break = Callable[[Any], Any]
"""Makes a broken function, or property, of the one that is there."""


@dataclass(frozen=True)
class PlantedFault:
    """One broken promise.

    `where` are the parts that are broken, each as `module:attribute` or `module:Class.attribute`: more than one where a
    promise is kept in several places, of which each would do. `shown_by` are words of the violation that is to show it,
    where others would follow from the fault that say nothing of the promise.
    """

    name: str
    promise: str
    where: str | tuple[str, ...]
    broken: Break
    shown_by: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Break the promise within the block.

        Raises:
            LookupError: The part that it replaces does not exist any more.
        """
        places = [
            self.place(where) for where in ([self.where] if isinstance(self.where, str) else self.where)
        ]
        before = [vars(owner)[attribute] for owner, attribute in places]
        for (owner, attribute), sound in zip(places, before, strict=True):
            setattr(owner, attribute, self.broken(sound))
        try:
            yield
        finally:
            for (owner, attribute), sound in zip(places, before, strict=True):
                setattr(owner, attribute, sound)

    def first_noticed(self, schedules: int, first: int = 1) -> Outcome | None:
        """Play schedules with the fault until one shows it; None if none does."""
        with self.planted():
            outcomes = (Scenario(seed).play() for seed in range(first, first + schedules))
            return next((outcome for outcome in outcomes if self._shows(outcome)), None)

    def _shows(self, outcome: Outcome) -> bool:
        return any(self.shown_by in violation for violation in outcome.violations)

    def place(self, where: str) -> tuple[Any, str]:
        """Return the owner of a part that is broken, and the part's name.

        The owner may be a base of the class that is named.
        """
        module, _, path = where.partition(":")
        *owners, attribute = path.split(".")
        owner: Any = import_module(module)
        for name in owners:
            owner = getattr(owner, name, None)
        homes = [
            home for home in getattr(owner, "__mro__", (owner,)) if attribute in getattr(home, "__dict__", ())
        ]
        if not homes:
            raise LookupError(f"the planted fault {self.name!r} replaces {where}, which is not there")
        return homes[0], attribute
