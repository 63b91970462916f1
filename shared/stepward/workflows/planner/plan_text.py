"""Write a plan as rows of text, and a workflow as Mermaid text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stepward.tasks.catalog import find_type
from stepward.workflows.planner.costs import dollars
from stepward.workflows.planner.drawing import Drawing, Node
from stepward.workflows.planner.plan import Plan, TaskPlan

# Rows.


HEAD = ("task", "type", "level", "takes", "runs", "states", "cost of its runs")
Row = tuple[str, ...]


def task_rows(made: Plan) -> list[Row]:
    """Return a header and a row for each task; a star marks the critical path."""
    return [HEAD, *(_row(one) for one in made.rows)]


def summary_rows(made: Plan) -> list[Row]:
    """Return the rows of the whole workflow."""
    faster = made.barrier_makespan_ms - made.makespan_ms
    limit = made.cost_limit_usd_micros
    return [
        ("tasks", f"{made.tasks:,} with {made.needs:,} needs in {len(made.levels):,} levels"),
        ("at once", "?" if made.width is None else f"{made.width:,}"),
        ("critical path", " → ".join(made.critical_path)),
        ("takes about", duration(made.makespan_ms)),
        ("with barriers", f"{duration(made.barrier_makespan_ms)}, {duration(faster)} more"),
        ("states", f"{made.states}, of them {made.parallels:,} parallels and {made.awaits:,} awaits"),
        ("transitions", str(made.transitions)),
        ("Lambda calls", str(made.lambda_calls)),
        ("DynamoDB writes", str(made.dynamodb_writes)),
        ("runs of others", str(made.child_runs)),
        ("AWS", str(made.aws)),
        ("agents, workflows", str(made.children)),
        ("in all", str(made.cost) + (f", and its agents stop at {dollars(limit)}" if limit else "")),
        *(("note", note) for note in made.notes),
    ]


def _row(one: TaskPlan) -> Row:
    star = " *" if one.is_critical else ""
    cost = str(one.cost) if find_type(one.type).starts else ""
    return (
        one.task + star,
        one.type,
        str(one.level),
        duration(one.takes_ms),
        str(one.runs),
        str(one.states),
        cost,
    )


def duration(took_ms: int) -> str:
    """Format a time in its two largest units."""
    if took_ms < 60_000:
        return f"{took_ms / 1000:.3g} s"
    seconds = round(took_ms / 1000)
    for unit_s, unit, inner_s, inner in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= unit_s:
            rest = seconds % unit_s // inner_s
            return f"{seconds // unit_s} {unit}" + (f" {rest} {inner}" if rest else "")
    return f"{seconds} s"


# Mermaid.


_HIDDEN: Final = {
    "&": "#amp;",
    "<": "#lt;",
    ">": "#gt;",
    '"': "#quot;",
    "#": "#35;",
    "`": "#96;",
    "\\": "#92;",
}


def mermaid_text(title: str, found: Drawing, *, is_wide: bool) -> str:
    """Return the flowchart; lines of the critical path are thick."""
    lines = ["---", f'title: "{title_text(title)}"', "---", f"flowchart {'LR' if is_wide else 'TB'}"]
    numbers = {path: f"n{index}" for index, path in enumerate(found.nodes)}
    lines += _nodes(found, "", numbers, 1)
    for link in found.links:
        arrow = "-.->" if link.is_back else "==>" if link.is_critical else "-->"
        label = f'|"{escaped(link.label)}"|' if link.label else ""
        lines.append(f"  {numbers[link.start]} {arrow}{label} {numbers[link.end]}")
    lines += _styles(found, numbers)
    return "\n".join(lines) + "\n"


def _nodes(found: Drawing, container: str, numbers: dict[str, str], depth: int) -> Iterator[str]:
    for path in found.inside.get(container, ()):
        node, indent = found.nodes[path], "  " * depth
        if node.is_box:
            yield f'{indent}subgraph {numbers[path]}["{_text(node)}"]'
            yield from _nodes(found, path, numbers, depth + 1)
            yield f"{indent}end"
        else:
            opening, closing = find_type(node.type).picture.shape
            yield f'{indent}{numbers[path]}{opening}"{_text(node)}"{closing}'


def _text(node: Node) -> str:
    return f"{escaped(node.title)}<br/><small>{escaped(node.subtitle)}</small>"


def _styles(found: Drawing, numbers: dict[str, str]) -> Iterator[str]:
    by_type: dict[str, list[str]] = {}
    for path, node in found.nodes.items():
        if not node.is_box:
            by_type.setdefault(node.type, []).append(numbers[path])
    for kind, names in sorted(by_type.items()):
        color = find_type(kind).picture.color
        yield f"  classDef {kind}_ fill:{color}22,stroke:{color}"
        yield f"  class {','.join(names)} {kind}_"
    critical = [numbers[path] for path, node in found.nodes.items() if node.is_critical]
    if critical:
        yield "  classDef critical_ stroke-width:3px"
        yield f"  class {','.join(critical)} critical_"


def escaped(text: str) -> str:
    """Escape a text for Mermaid and HTML."""
    return "".join(_HIDDEN.get(char, char if char.isprintable() else " ") for char in text)


def title_text(text: str) -> str:
    """Escape a text for a title, which is YAML."""
    return "".join(char if char.isprintable() and char not in '"\\' else " " for char in text)
