"""Every expression can be read, and speaks only of what is there when it is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stepward.domain.documents.problems import Problem, meant
from stepward.models.expression_functions import REMOVED
from stepward.models.expression_functions import names as known_functions
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.reading import BY_TASK, Reading, read_expression
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import Site, sites

MOST_CHARS: Final = 400_000
"""Of all expressions of a document that differ: reading them takes some seconds then."""
ALWAYS: Final = frozenset({"input", "run", *BY_TASK})
OF_GROUP: Final = frozenset({"input", "run"})
"""What stands in for a group is known before any of its tasks has ended."""
OF_BODY: Final = {"foreach": frozenset({"item", "index"}), "loop": frozenset({"iteration", "previous"})}
_TEXTS: Final = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
_OF_OTHERS: Final = {"==": "=", "&&": "and", "||": "or", "!$": "$not(…)", "!(": "$not(…)"}
RUN_FIELDS: Final = ("id", "workflow", "version", "started_at")


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find expressions that cannot be read, and names in them that mean nothing where they stand."""
    del orders
    chars = 0
    read: set[str] = set()
    for site in sites(scene):
        chars += 0 if site.text in read else len(site.text)
        read.add(site.text)
        if chars > MOST_CHARS:
            detail = f"the expressions have more than {MOST_CHARS:,} characters together"
            yield scene.problem(site.spot, site.inside, "too-many-expressions", detail, "use subworkflows")
            return
        reading = read_expression(site.text)
        if reading.fault:
            detail = f"{site.text[:80]!r} cannot be read: {reading.fault}"
            yield scene.problem(site.spot, site.inside, "expression-syntax", detail, _right(site.text))
        else:
            yield from _names(scene, site, reading)


def _right(text: str) -> str:
    """Say how what other languages write is written in JSONata."""
    bare = _TEXTS.sub("''", text)
    said = [f"write {right} for {other}" for other, right in _OF_OTHERS.items() if other in bare]
    return ", ".join(said[:3]) or "mend the JSONata"


def _names(scene: Scene, site: Site, reading: Reading) -> Iterator[Problem]:
    known = variables_at(site)
    for name in sorted(reading.variables - known):
        detail = f"there is no variable or function ${name} here"
        alike = [f"${one}" for one in (*known, *known_functions())]
        fix = REMOVED.get(name) or meant(f"${name}", alike, _list(known))
        yield scene.problem(site.spot, site.inside, "unknown-variable", detail, fix)
    for name in sorted(reading.bare):
        detail = f"{name!r} is read of nothing, since no value stands before it"
        near = f"${name}" if name in known else f"$input.{name}"
        yield scene.problem(site.spot, site.inside, "bare-name", detail, f"did you mean {near!r}?")
    for said in sorted(reading.rootless):
        detail = f"{said!r} is read of nothing, since no value stands around it"
        fix = f"did you mean {'$input.' + said.partition('.')[2]!r}?"
        yield scene.problem(site.spot, site.inside, "bare-name", detail, fix)
    for path in sorted(reading.paths):
        if path[0] == "run" and len(path) > 1 and path[1] not in RUN_FIELDS:
            fix = meant(path[1], RUN_FIELDS, f"it has {', '.join(RUN_FIELDS)}")
            yield scene.problem(
                site.spot, site.inside, "unknown-field", f"$run has no field {path[1]!r}", fix
            )
        if path[0] == "previous" and "previous" in known and len(path) > 1:
            yield from _previous(scene, site, path[1])


def variables_at(site: Site) -> frozenset[str]:
    """Name the variables that have a value where an expression stands."""
    known = ALWAYS
    spot = site.spot
    if spot is None:
        return known
    if spot.is_group and site.inside[0] == "fallback":
        return OF_GROUP
    for body in (*((spot,) if site.after and spot.is_body else ()), *spot.bodies()):
        known |= OF_BODY.get(body.task.type, frozenset())
    return known


def _list(known: frozenset[str]) -> str:
    return "there are " + ", ".join(f"${name}" for name in sorted(known))


def _previous(scene: Scene, site: Site, name: str) -> Iterator[Problem]:
    loop = _loop_of(site)
    inner = scene.beside(loop.path) if loop else {}
    if loop and name not in inner:
        fix = meant(name, inner, f"its tasks are {', '.join(sorted(inner)[:8])}")
        detail = f"the loop {loop.task.id!r} has no task {name!r}"
        yield scene.problem(site.spot, site.inside, "missing-task", detail, fix)


def _loop_of(site: Site) -> Spot | None:
    if site.spot is None:
        return None
    own = (site.spot,) if site.after and site.spot.is_body else ()
    return next((body for body in (*own, *site.spot.bodies()) if body.task.type == "loop"), None)
