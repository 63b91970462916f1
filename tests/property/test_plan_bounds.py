"""Whatever a run does, it enters as many states as its plan allows, and each task runs as often."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.aws_prices import AwsCost
from stepward.domain.bounds import Bound
from stepward.domain.workflows import WorkflowDefinition
from stepward.testing.planted.catalog import BILLS
from stepward.testing.planted.faults import PlantedFault
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.costs import CostBounds
from stepward.workflows.planner.plan import plan
from stepward.workflows.planner.svg import mermaid, svg
from stepward.workflows.planner.usage_bounds import entered_states
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.proofs.catalog import prove
from tests.property.test_workflow_meaning import a_world as a_world_of
from tests.support.drawn_workflows import Drawing
from tests.support.draws import drawn
from tests.support.random_walk import WalkedMachine
from tests.support.workflow_world import WorkflowWorld

COUNTED = ("keep", "notify_latch", "begin", "put_value", "park")
"""What writes an item of the journal table."""
STARTED_AND_CLOSED = 11
"""A start writes head, beginning and input, an end the head and how it stands; each slot and counters. The rest is counted."""
some = drawn(80)


def drawn_tasks(chance: random.Random, depth: int, most: int) -> list[dict[str, Any]]:
    """Draw the tasks of one scope with everything that makes a run enter more or fewer states."""
    tasks: list[dict[str, Any]] = []
    for index in range(chance.randint(1, most)):
        before = [one["id"] for one in tasks]
        task: dict[str, Any] = {
            "id": f"t{depth}{index}",
            "needs": chance.sample(before, min(len(before), chance.randint(0, 2))),
        }
        task |= _of_type(chance, depth, before)
        if chance.random() < 0.2:
            task["when"] = "{% $input.go %}"
        if chance.random() < 0.2:
            task["run_when"] = chance.choice(["any_done", "always"])
        if chance.random() < 0.2:
            task["on_error"] = chance.choice(["continue", "fail"])
        if chance.random() < 0.1:
            task["fallback"] = {"output": 0}
        tasks.append(task)
    _add_branches(chance, tasks)
    return tasks


def _of_type(chance: random.Random, depth: int, before: list[str]) -> dict[str, Any]:
    kind = chance.choice(
        ["transform"] * 4 + ["wait", "agent"] + (["foreach", "loop", "parallel"] if depth < 2 else [])
    )
    inner = {"tasks": drawn_tasks(chance, depth + 1, 3)} if kind in ("foreach", "loop", "parallel") else {}
    own: dict[str, dict[str, Any]] = {
        "transform": {"output": 1},
        "wait": {"seconds": chance.randint(1, 9)},
        "agent": {"agent": "writer"},
        "foreach": {"items": chance.choice(["{% $input %}", [1, 2]]), "max_items": chance.randint(2, 3)},
        "loop": {"until": "{% true %}", "max_iterations": chance.randint(1, 3)},
        "parallel": {},
    }
    return {"type": kind, **own[kind], **inner}


def _add_branches(chance: random.Random, tasks: list[dict[str, Any]]) -> None:
    """Let a last task without needs be asked by some others; a condition needs nobody, so there is no ring."""
    if len(tasks) > 1 and chance.random() < 0.3:
        names = [one["id"] for one in tasks]
        chance.shuffle(names)
        tasks.append(
            {
                "id": f"c{names[0]}",
                "type": "condition",
                "test": True,
                "then": names[:1],
                "otherwise": names[1:2],
            }
        )


@some
@given(st.integers(0, 2**32))
def test_every_run_lies_within_its_plan(seed: int) -> None:
    chance = random.Random(seed)
    definition = WorkflowDefinition.model_validate(
        {
            "id": "drawn",
            "name": "Drawn",
            "version": "1.0.0",
            "tasks": drawn_tasks(chance, 0, 6),
            "on_error": chance.choice(["fail", "continue"]),
            "allow_partial": chance.random() < 0.3,
        }
    )
    compiled = compile_workflow(definition)
    made = plan(definition, compiled)
    for _ in range(8):
        machine = WalkedMachine(
            compiled.program, random.Random(chance.random()), chance.choice([0, 0.2, 0.6])
        )
        went_through = machine.run(compiled.machine)
        assert machine.entered <= made.states.most
        assert not went_through or made.states.least <= machine.entered
        for row in made.rows:
            ran = machine.ran.get(row.task, 0)
            assert ran <= row.runs.most
            assert not went_through or row.runs.least <= ran
    assert all(proof.holds for proof in prove(definition, compiled))
    assert mermaid(definition, made).startswith("---\n")
    ET.fromstring(svg(definition, made))


def counting_writes(world: WorkflowWorld) -> Counter[str]:
    """Count what the store of a world is told to write, from now on."""
    counts: Counter[str] = Counter()
    for holder, names in ((world.store, COUNTED), (world.tokens, ("keep",))):
        for name in names:
            told = getattr(holder, name)

            def counted(*given: Any, told: Any = told, name: str = name) -> Any:
                counts[name] += 1
                return told(*given)

            setattr(holder, name, counted)
    return counts


@some
@given(st.integers(0, 2**32))
def test_tasks_that_really_run_take_what_their_plan_says(seed: int) -> None:
    definition = Drawing(seed).document()
    world = a_world_of(seed, definition, troubled=False)
    made = plan(definition, compile_workflow(definition))
    counts = counting_writes(world)
    ran = world.finish(world.start({"n": 3, "yes": True}))
    executions = [ran.execution, *world.chunks(ran.key)]
    entered, last = sum(len(one.entered) for one in executions), ran.execution.entered[-1]
    writes = counts.total() + STARTED_AND_CLOSED
    assert entered <= made.states.most
    assert len(world.requests) <= made.lambda_calls.most
    assert writes <= made.dynamodb_writes.most
    if "failed" not in last.given:
        assert made.states.least <= entered
        assert made.lambda_calls.least <= len(world.requests)
        assert made.dynamodb_writes.least <= writes


ANSWERED: list[dict[str, Any]] = [
    {"type": "agent", "agent": "helper"},
    {"type": "human", "question": "May I?", "timeout_s": 86_400},
    {"type": "webhook", "wait_for_call": True, "timeout_s": 86_400},
    {"type": "event", "event": "shop.told"},
]


def answered_otherwise(chance: random.Random, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let people, callers and events stand for some of the agents, and let waits be so long that they give their slot back."""
    found = []
    for task in tasks:
        made = {**task, "tasks": answered_otherwise(chance, task.get("tasks", []))}
        if task["type"] == "agent":
            kept = {name: value for name, value in made.items() if name not in ("agent", "with")}
            made = {**kept, **chance.choice(ANSWERED)}
        elif task["type"] == "wait":
            made["seconds"] = chance.choice([made["seconds"], 3_600])
        found.append(made)
    return found


def outside(counts: dict[str, Bound], aws: AwsCost, *, went_through: bool) -> dict[str, tuple[Bound, int]]:
    """List the counts of a bill that its plan does not allow; memory times are billed by the started thousandth."""
    plain = {**aws.counts, "lambda_mb_ms": 1024 * (aws.counts["lambda_gb_ms"] - 1) + 1}
    return {
        name: (bound, plain[name])
        for name, bound in counts.items()
        if plain[name] > bound.most
        or (went_through and plain[name] < bound.least - 1023 * (name == "lambda_mb_ms"))
    }


def what_is_outside(seed: int) -> dict[str, tuple[Bound, int]]:
    """Run a drawn workflow, and hold its bill to its plan."""
    chance = random.Random(seed)
    said = Drawing(seed).document().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    said["tasks"] = answered_otherwise(chance, said["tasks"])
    world = a_world_of(seed, WorkflowDefinition.model_validate(said), troubled=False)
    ran = world.finish(world.start({"n": 3, "yes": True}))
    # Of the machine that ran: in some worlds functions make the writes of its awaits.
    program = world.program("acme", "flow", "1.0.0")
    machine = json.loads(world.registry.machine_text("acme", "flow", "1.0.0"))
    costs = CostBounds(program, entered_states(program, machine), IterationBounds(program))
    went_through, aws = "failed" not in ran.execution.entered[-1].given, ran.head.aws
    most = costs.aws.most_usd_micros
    assert aws is not None and most is not None
    found = outside(costs.counts, aws, went_through=went_through)
    paid = Bound(least=costs.aws.least_usd_micros, most=most)
    if aws.usd_micros > most or (went_through and aws.usd_micros < paid.least):
        found["usd_micros"] = (paid, aws.usd_micros)
    return found


@some
@given(st.integers(0, 2**32))
def test_every_bill_lies_within_its_plan(seed: int) -> None:
    assert not what_is_outside(seed)


@pytest.mark.parametrize("fault", BILLS, ids=lambda fault: fault.name)
def test_a_bill_and_a_plan_that_count_differently_are_noticed(fault: PlantedFault) -> None:
    with fault.planted():
        assert any(what_is_outside(seed) for seed in range(200)), (
            f"nothing shows that this does not hold: {fault.promise}"
        )
