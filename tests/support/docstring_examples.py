"""The examples in the docstrings of what users import, as doctest finds them."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import stepward.sdk
import stepward.toolkit

PUBLIC = (stepward.sdk, stepward.toolkit)


def examples(*, of_a_stage: bool) -> Iterator[doctest.DocTest]:
    """Find the examples that ask a stage, or those that need none."""
    return (test for test in examples_of(PUBLIC) if asks_a_stage(test) is of_a_stage)


def examples_of(packages: Sequence[ModuleType]) -> Iterator[doctest.DocTest]:
    """Find the examples of packages and their modules."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for package in packages:
        inner = [found.name for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
        for name in (package.__name__, *inner):
            module = importlib.import_module(name)
            found = finder.find(module, name, globs=names(packages))
            yield from (test for test in found if test.examples)


def names(packages: Sequence[ModuleType]) -> dict[str, Any]:
    """Give what the packages export, as an import of all of it would."""
    return {name: getattr(package, name) for package in packages for name in package.__all__}


def asks_a_stage(test: doctest.DocTest) -> bool:
    """Tell whether an example uses a client."""
    return any("stepward." in one.source or "Stepward(" in one.source for one in test.examples)


def play(test: doctest.DocTest) -> str:
    """Run an example.

    Returns:
        What differs from what it says; nothing if it holds.
    """
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    return "".join(said)
