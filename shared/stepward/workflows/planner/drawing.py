"""Choose what a picture shows: nodes, boxes and lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.tasks.catalog import branches_of, settings_of, type_of
from stepward.tasks.facts import short
from stepward.workflows.planner.plan import Plan
from stepward.workflows.program.graphs import back_edges, topological_order
from stepward.workflows.program.names import joined
from stepward.workflows.program.tasks import walk

# Nodes, boxes and lines.


MOST_LINES: Final = 6_000
"""A picture with more lines is unreadable, and too large for an answer."""
REDUCED_UP_TO: Final = 2_000
"""Tasks in one box up to which implied lines are left out."""


@dataclass(frozen=True)
class Node:
    """A task, or a box if it has tasks in it."""

    path: str
    container: str
    type: str
    title: str
    subtitle: str
    is_box: bool
    is_critical: bool
    is_conditional: bool


@dataclass(frozen=True)
class Link:
    """A line from one node to another; `container` is the container that holds both."""

    start: str
    end: str
    container: str
    label: str = ""
    is_critical: bool = False
    is_back: bool = False


@dataclass
class Drawing:
    """The nodes and lines of a picture; `implied` counts the needs that are not drawn."""

    nodes: dict[str, Node] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    implied: int = 0

    def child_of(self, container: str, path: str) -> str:
        """Return the node directly within a container that is, or contains, a node."""
        while self.nodes[path].container != container:
            path = self.nodes[path].container
        return path


def drawing(definition: WorkflowDefinition, made: Plan) -> Drawing:
    """Return the nodes and lines of a planned workflow."""
    found = Drawing()
    critical = {row.task for row in made.rows if row.is_critical}
    _add(found, definition.tasks, "", critical)
    ways = [made.critical_path, *(scope.critical_path for scope in made.bodies)]
    heavy = {pair for way in ways for pair in _heavy(way)}
    links = list(dict.fromkeys(_links(found, definition, heavy)))
    by_container: dict[str, list[Link]] = {}
    for link in links:
        by_container.setdefault(link.container, []).append(link)
    for container, here in by_container.items():
        is_machine = not container and definition.start is not None
        shown = _forward(here, definition.start or "") if is_machine else _direct(found, container, here)
        found.implied += len(here) - len(shown)
        found.links += shown
    if len(found.links) > MOST_LINES:
        raise InvalidRequest(
            f"the picture would have {len(found.links):,} lines; {MOST_LINES:,} are the most.",
            field="as",
            fix="read the plan as json, or take the graph apart into subworkflows",
        )
    return found


def _add(found: Drawing, tasks: tuple[TaskDefinition, ...], container: str, critical: set[str]) -> None:
    found.inside[container] = [joined(container, task.id) for task in tasks]
    for task in tasks:
        path = joined(container, task.id)
        inner = any(one.startswith(f"{path}.") for one in critical) and type_of(task).is_group
        found.nodes[path] = Node(
            path=path,
            container=container,
            type=task.type,
            title=task.name or task.id,
            subtitle=type_of(task).caption(task, settings_of(task)),
            is_box=bool(task.tasks),
            is_critical=path in critical or inner,
            is_conditional=task.when is not None,
        )
        if task.tasks:
            _add(found, task.tasks, path, critical)


def _links(found: Drawing, definition: WorkflowDefinition, heavy: set[tuple[str, str]]) -> Iterator[Link]:
    tasks = dict(walk(definition.tasks, compensations=False))
    branches = {
        (path, joined(found.nodes[path].container, name)): "yes" if branch.answer else "no"
        for path, task in tasks.items()
        for branch in branches_of(task)
        for name in branch.tasks
    }
    for path, task in tasks.items():
        for need in task.needs:
            start = joined(found.nodes[path].container, need)
            # Between a condition and what hangs on it the branch is drawn, which says more.
            if (start, path) not in branches:
                yield _link(found, start, path, "", heavy)
        for way in task.next:
            yield _link(found, path, way.to, short(way.when or ""), heavy)
    for (start, end), label in branches.items():
        yield _link(found, start, end, label, heavy)


def _link(found: Drawing, start: str, end: str, label: str, heavy: set[tuple[str, str]]) -> Link:
    container = found.nodes[end].container
    while container and not start.startswith(f"{container}."):
        container = found.nodes[container].container
    return Link(start, end, container, label, (start, end) in heavy)


def _heavy(way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the lines of a critical path, from and to each task and its groups."""
    for before, after in pairwise(way):
        yield from ((start, end) for start in _around(before) for end in _around(after))


def _around(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _direct(found: Drawing, container: str, links: list[Link]) -> list[Link]:
    """Leave out the lines that longer paths imply, which would hide the others."""
    names = found.inside[container]
    if len(names) > REDUCED_UP_TO:
        return links
    place = {name: index for index, name in enumerate(names)}
    needs: list[set[int]] = [set() for _ in names]
    for link in links:
        needs[place[found.child_of(container, link.end)]].add(place[found.child_of(container, link.start)])
    past = [0] * len(names)
    implied = [0] * len(names)
    for task in topological_order([sorted(one) for one in needs]):
        for need in needs[task]:
            past[task] |= past[need] | 1 << need
            implied[task] |= past[need]
    return [
        link
        for link in links
        if link.label
        or link.is_critical
        or (link.start, link.end)
        != (found.child_of(container, link.start), found.child_of(container, link.end))
        or not implied[place[link.end]] >> place[link.start] & 1
    ]


def _forward(links: list[Link], start: str) -> list[Link]:
    """Mark the back edges of a state machine, so that the others have an order."""
    ways: dict[str, list[str]] = {}
    for link in links:
        ways.setdefault(link.start, []).append(link.end)
        ways.setdefault(link.end, [])
    back = back_edges(ways, start)
    return [replace(link, is_back=(link.start, link.end) in back) for link in links]


# How pages look.


STYLE: Final = """
.sw{--paper:#fbfbfd;--ink:#1b1f29;--muted:#697386;--line:#d5d9e2;--wire:#9aa3b5;--card:#ffffff;--box:#7b849612;--hot:#e5484d;
font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
@media(prefers-color-scheme:dark){.sw{--paper:#12151c;--ink:#eceef3;--muted:#98a2b5;--line:#343b4a;--wire:#5c6679;--card:#1b202b;
--box:#aab4c80d;--hot:#ff6b6f}}
.paper{fill:var(--paper)}.card{fill:var(--card);stroke:var(--line)}.box{fill:var(--box);stroke:var(--line)}
.hot{stroke:var(--hot);stroke-width:2}.maybe{stroke-dasharray:5 4}
.wire{fill:none;stroke:var(--wire);stroke-width:1.5}.wire.hot{stroke:var(--hot);stroke-width:2.5}.wire.back{stroke-dasharray:5 4}
.tip{fill:var(--wire)}.tip.hot{fill:var(--hot);stroke:none}
text{fill:var(--ink)}.name{font-size:13px;font-weight:600}.said{font-size:11px;fill:var(--muted)}
.head{font-size:19px;font-weight:650}.note{font-size:12px;fill:var(--muted)}
.tag{font-size:11px;fill:var(--muted);text-anchor:middle;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.sign{fill:none;stroke:#fff;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
""".strip().replace("\n", "")
