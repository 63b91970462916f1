"""Choose what a picture shows: nodes, boxes, lines, colours and signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.expressions.evaluate import is_expression
from stepward.workflows.planner.plan import Plan
from stepward.workflows.program.graphs import back_edges, topological_order
from stepward.workflows.program.scopes import joined

# Nodes, boxes and lines.


LABEL_CHARS: Final = 22
MOST_LINES: Final = 6_000
"""A picture of more is black, and too large for an answer."""
REDUCED_UP_TO: Final = 2_000
"""Tasks in one box up to which lines are left out that others imply."""


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
    """A line from one node to another. `home` is the container that holds both."""

    start: str
    end: str
    home: str
    label: str = ""
    is_critical: bool = False
    is_back: bool = False


@dataclass
class Drawing:
    """Everything that is shown. `implied` counts the needs that other needs imply, which are not drawn."""

    nodes: dict[str, Node] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    implied: int = 0

    def child_of(self, home: str, path: str) -> str:
        """Name the node directly within a container that is a node, or is around it."""
        while self.nodes[path].container != home:
            path = self.nodes[path].container
        return path


def drawing(definition: WorkflowDefinition, made: Plan) -> Drawing:
    """Lay out what is to be seen of a planned workflow."""
    found = Drawing()
    critical = {row.task for row in made.rows if row.is_critical}
    _add(found, definition.tasks, "", critical)
    ways = [made.critical_path, *(scope.critical_path for scope in made.bodies)]
    heavy = {pair for way in ways for pair in _heavy(way)}
    links = list(dict.fromkeys(_links(found, definition, heavy)))
    by_home: dict[str, list[Link]] = {}
    for link in links:
        by_home.setdefault(link.home, []).append(link)
    for home, here in by_home.items():
        is_machine = not home and definition.start is not None
        shown = _forward(here, definition.start or "") if is_machine else _direct(found, home, here)
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
        inner = any(one.startswith(f"{path}.") for one in critical) and task.type == "parallel"
        found.nodes[path] = Node(
            path=path,
            container=container,
            type=task.type,
            title=task.name or task.id,
            subtitle=subtitle(task),
            is_box=bool(task.tasks),
            is_critical=path in critical or inner,
            is_conditional=task.when is not None,
        )
        if task.tasks:
            _add(found, task.tasks, path, critical)


def _links(found: Drawing, definition: WorkflowDefinition, heavy: set[tuple[str, str]]) -> Iterator[Link]:
    tasks = dict(_walk(definition.tasks, ""))
    branches = {
        (path, joined(found.nodes[path].container, name)): label
        for path, task in tasks.items()
        for name, label in _branches(task)
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


def _branches(task: TaskDefinition) -> Iterator[tuple[str, str]]:
    if task.type == "condition":
        yield from ((str(name), "yes") for name in task.settings.get("then", ()))
        otherwise = task.settings.get("otherwise", task.settings.get("else", ()))
        yield from ((str(name), "no") for name in otherwise)


def _link(found: Drawing, start: str, end: str, label: str, heavy: set[tuple[str, str]]) -> Link:
    home = found.nodes[end].container
    while home and not start.startswith(f"{home}."):
        home = found.nodes[home].container
    return Link(start, end, home, label, (start, end) in heavy)


def _heavy(way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give the steps of a critical path as they may be drawn: from and to a task, or a group that it is in."""
    for before, after in pairwise(way):
        yield from ((start, end) for start in _around(before) for end in _around(after))


def _around(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _direct(found: Drawing, home: str, links: list[Link]) -> list[Link]:
    """Leave out the lines that longer ways imply: they say nothing that is not seen, and hide what is."""
    names = found.inside[home]
    if len(names) > REDUCED_UP_TO:
        return links
    place = {name: index for index, name in enumerate(names)}
    needs: list[set[int]] = [set() for _ in names]
    for link in links:
        needs[place[found.child_of(home, link.end)]].add(place[found.child_of(home, link.start)])
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
        or (link.start, link.end) != (found.child_of(home, link.start), found.child_of(home, link.end))
        or not implied[place[link.end]] >> place[link.start] & 1
    ]


def _forward(links: list[Link], start: str) -> list[Link]:
    """Mark the ways of a state machine that lead back, so that the others have an order."""
    ways: dict[str, list[str]] = {}
    for link in links:
        ways.setdefault(link.start, []).append(link.end)
        ways.setdefault(link.end, [])
    back = back_edges(ways, start)
    return [replace(link, is_back=(link.start, link.end) in back) for link in links]


def _walk(tasks: tuple[TaskDefinition, ...], container: str) -> Iterator[tuple[str, TaskDefinition]]:
    for task in tasks:
        path = joined(container, task.id)
        yield path, task
        yield from _walk(task.tasks, path)


def subtitle(task: TaskDefinition) -> str:
    """Say in a few words what a task does, by its settings."""
    settings = task.settings
    items = settings.get("items")
    counted = f"{len(items)}" if isinstance(items, list) else f"up to {settings.get('max_items', 100)}"
    seconds = settings.get("seconds")
    own = {
        "foreach": f"for each, {counted} items, {settings.get('max_parallel', 10)} at once",
        "loop": f"loop, up to {settings.get('max_iterations')} rounds",
        "wait": short(f"wait {seconds} s" if seconds else f"wait until {settings.get('until')}"),
        "human": "asks a person",
        "parallel": "group",
        "condition": short(str(settings.get("test", settings.get("expression", ""))), 40),
    }
    if task.type == "webhook":
        url = str(settings.get("url") or "waits for a call")
        return short(url.partition("://")[2] if url.startswith("http") else url)
    said = settings.get({"subworkflow": "workflow"}.get(task.type, task.type))
    return own.get(task.type) or (f"{task.type} {said}" if said else task.type)


def short(text: str, chars: int = LABEL_CHARS) -> str:
    """Cut a text to a length, an expression without its brackets."""
    bare = text.strip()[2:-2].strip() if is_expression(text) else text
    return bare if len(bare) <= chars else bare[: chars - 1] + "…"


# Colours and signs of task types.


COLORS: Final[dict[str, str]] = {
    "agent": "#7c5cff",
    "condition": "#d6409f",
    "event": "#e5730f",
    "foreach": "#0f9d8a",
    "human": "#c98a00",
    "loop": "#0f9d8a",
    "parallel": "#7b8496",
    "subworkflow": "#3e63dd",
    "tool": "#1f87d9",
    "transform": "#5f6b7c",
    "wait": "#8a8f98",
    "webhook": "#2e9e5b",
}
SIGNS: Final[dict[str, str]] = {
    "agent": "M12 3.5l2 6.5 6.5 2-6.5 2-2 6.5-2-6.5-6.5-2 6.5-2z",
    "condition": "M12 4l8 8-8 8-8-8z",
    "event": "M13.5 3L6 13.5h5L10.5 21 18 10.5h-5z",
    "foreach": "M8 6.5h12M8 12h12M8 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01",
    "human": "M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6zM4.8 20c.6-4 3.4-5.6 7.2-5.6s6.6 1.6 7.2 5.6",
    "loop": "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15",
    "parallel": "M6 5v14M12 5v14M18 5v14",
    "subworkflow": "M4 4h6.5v6.5H4zM13.5 13.5H20V20h-6.5zM10.5 7.25h3.25a3 3 0 0 1 3 3v3.25",
    "tool": "M14.8 5a4.6 4.6 0 0 0-5.9 5.9L4 15.8 8.2 20l4.9-4.9A4.6 4.6 0 0 0 19 9.2l-2.9 2.9-3.2-.8-.9-3.3z",
    "transform": "M4 8.5h14M14.5 5l3.5 3.5-3.5 3.5M20 16H6M9.5 12.5L6 16l3.5 3.5",
    "wait": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 7.5V12l3 2.2",
    "webhook": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c5 5 5 11 0 16M12 4c-5 5-5 11 0 16",
}
"""Paths in a square of 24."""
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
