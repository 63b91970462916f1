"""Plan a workflow: what a run will do, how long it takes and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from stepward.domain.aws_prices import AS_OF
from stepward.domain.bounds import Bound, exactly, total
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.catalog import child_of, type_of
from stepward.tasks.facts import Starts
from stepward.tasks.foreach import EXPECTED_ITEMS
from stepward.tasks.loop import EXPECTED_ROUNDS
from stepward.workflows.compiler.compile import Compiled
from stepward.workflows.planner.costs import CostBounds, Costs, Money, UnknownCosts
from stepward.workflows.planner.durations import Durations, ScopePlan
from stepward.workflows.planner.usage_bounds import EnteredState, entered_states
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.tasks import retry_of


class TaskPlan(BaseModel):
    """The plan of one task."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    task: str
    type: str
    level: int
    """Its level within its scope, from 0."""
    is_critical: bool
    """Whether it is on the critical path, with all the bodies around it."""
    takes_ms: int
    runs: Bound
    states: Bound
    cost: Money
    """The cost of the runs that it starts; AWS charges for its states are in the sum only."""


class Plan(BaseModel):
    """The plan of a run of one version.

    `states` are entered states; `transitions` are what is billed for them.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    workflow: str
    version: str
    tasks: int
    needs: int
    levels: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    makespan_ms: int
    barrier_makespan_ms: int
    width: int | None
    parallelism: tuple[int, ...]
    bodies: tuple[ScopePlan, ...]
    awaits: int
    parallels: int
    states: Bound
    transitions: Bound
    lambda_calls: Bound
    dynamodb_writes: Bound
    child_runs: Bound
    aws: Money
    children: Money
    cost: Money
    cost_limit_usd_micros: int | None
    rows: tuple[TaskPlan, ...]
    notes: tuple[str, ...]


def plan(definition: WorkflowDefinition, compiled: Compiled, costs: Costs | None = None) -> Plan:
    """Plan a checked and compiled version; `costs` estimates the runs that it starts."""
    program, rounds = compiled.program, IterationBounds(compiled.program)
    states, times = entered_states(program, compiled.machine), Durations(program, rounds)
    spending, asked = CostBounds(program, states, rounds), costs or UnknownCosts()
    of_runs = {
        path: cost for path, planned in program.tasks.items() if (cost := _cost(program, planned, asked))
    }
    spent = {path: cost.times(_attempts(program, rounds, path)) for path, cost in of_runs.items()}
    top, children = times.scopes[""], sum(spent.values(), Money())
    return Plan(
        workflow=definition.id,
        version=definition.version,
        tasks=len(program.tasks),
        needs=sum(len(planned.needs) for planned in program.tasks.values()),
        **top.model_dump(exclude={"body"}),
        parallelism=top.parallelism,
        bodies=tuple(scope for body, scope in sorted(times.scopes.items()) if body),
        awaits=sum(one.is_await for one in states),
        parallels=sum(one.state["Type"] == "Parallel" for one in states),
        states=total(one.times for one in states),
        transitions=spending.transitions,
        lambda_calls=spending.lambda_calls,
        dynamodb_writes=spending.writes,
        child_runs=total(_attempts(program, rounds, path) for path in of_runs),
        aws=spending.aws,
        children=children,
        cost=spending.aws + children,
        cost_limit_usd_micros=definition.cost_limit_usd_micros,
        rows=tuple(_rows(program, rounds, times, _by_owner(spending), spent)),
        notes=tuple(_notes(definition, program, of_runs, states)),
    )


def _attempts(program: Program, rounds: IterationBounds, path: str) -> Bound:
    """Return how many runs a task starts: one an attempt."""
    attempts = retry_of(program.definition, program.tasks[path].task).attempts
    return rounds.runs(path) * Bound(least=1, expected=1, most=attempts)


def _cost(program: Program, planned: PlannedTask, costs: Costs) -> Money | None:
    """Return the cost of one run that a task starts, within the limits of task and workflow."""
    child = child_of(planned.task)
    if child is None:
        return None
    if type_of(planned.task).starts is Starts.WORKFLOW:
        return costs.of_workflow(child.of, child.version)
    both = (child.cost_limit_usd_micros, program.definition.cost_limit_usd_micros)
    limits = [limit for limit in both if limit is not None]
    return costs.of_agent(child.of, child.version, min(limits, default=None))


def _by_owner(spending: CostBounds) -> dict[str, Bound]:
    found: dict[str, Bound] = {}
    for one in spending.states:
        found[one.owner] = found.get(one.owner, exactly(0)) + one.times
    return found


def _rows(
    program: Program,
    rounds: IterationBounds,
    times: Durations,
    states: dict[str, Bound],
    spent: dict[str, Money],
) -> Iterator[TaskPlan]:
    level = {
        path: number
        for scope in times.scopes.values()
        for number, paths in enumerate(scope.levels)
        for path in paths
    }
    critical = critical_tasks(times)
    for path, planned in program.tasks.items():
        yield TaskPlan(
            task=path,
            type=planned.task.type,
            level=level[path],
            is_critical=path in critical,
            takes_ms=times.durations_ms[path],
            runs=rounds.runs(path),
            states=states.get(path, exactly(0)),
            cost=spent.get(path, Money()),
        )


def critical_tasks(times: Durations) -> set[str]:
    """Return the tasks of the critical path, and those of the bodies on it."""
    found: set[str] = set()
    ahead = [""]
    while ahead:
        path = times.scopes[ahead.pop()].critical_path
        found.update(path)
        ahead += [task for task in path if task in times.scopes]
    return found


def _notes(
    definition: WorkflowDefinition, program: Program, of_runs: dict[str, Money], states: list[EnteredState]
) -> Iterator[str]:
    yield "a run that fails, is cancelled or runs out of time may end after fewer states than the least"
    yield f"AWS by the list prices of {AS_OF}; what its own faults make be tried again is not in it"
    if any(program.bodies):
        yield f"a list of unknown length is taken for {EXPECTED_ITEMS} items, a loop for {EXPECTED_ROUNDS} rounds"
    for path, most in program.chunks.items():
        yield f"{path} runs its items in chunks of up to {most:,}, each in an execution of its own"
    unknown = sorted(path for path, cost in of_runs.items() if cost.most_usd_micros is None)
    if unknown:
        yield f"the cost of the runs of {', '.join(unknown[:5])} is not known yet"
    if definition.is_state_machine:
        yield "the critical path is the longest way through the states that comes by none twice"
    if jittered := sorted({one.owner for one in states if one.is_jittered}):
        yield f"Step Functions makes the pauses of {', '.join(jittered[:5])}: jitter takes away up to the whole (FULL)"
    if definition.max_parallel is not None:
        yield f"at most {definition.max_parallel} tasks run at once, in lanes; what waits for its lane is on the critical path too"
