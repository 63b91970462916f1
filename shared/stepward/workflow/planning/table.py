"""A plan as rows of words, for terminals and for people who read no JSON."""

from __future__ import annotations

from stepward.workflow.planning.costs import dollars
from stepward.workflow.planning.plan import Plan, TaskPlan

HEAD = ("task", "type", "level", "takes", "runs", "states", "cost of its runs")
Row = tuple[str, ...]


def task_rows(made: Plan) -> list[Row]:
    """Give a head and a row a task; those of the critical path carry a star."""
    return [HEAD, *(_row(one) for one in made.rows)]


def summary_rows(made: Plan) -> list[Row]:
    """Give what holds for the whole."""
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
    cost = str(one.cost) if one.type in ("agent", "subworkflow") else ""
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
    """Spell a time in its two largest units."""
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
