"""A graph of a thousand tasks is read, checked and compiled quickly; what no machine could hold is said so."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from stepward.domain.workflows import LONGEST_PATH_CHARS, WorkflowDefinition
from stepward.workflows.compiler.compile import Compiled, compile_workflow
from stepward.workflows.compiler.machine import LONGEST_NAME_CHARS
from stepward.workflows.compiler.machine_size import MOST_REQUEST_BYTES, REST_OF_REQUEST_BYTES, request_bytes
from stepward.workflows.planner.usage_bounds import entered_states

MARGIN = 0.9


def a_graph(count: int, needed: int) -> WorkflowDefinition:
    drawn = random.Random(7)
    tasks = [
        {
            "id": f"t{one}",
            "type": "transform",
            "needs": [f"t{other}" for other in drawn.sample(range(max(0, one - 60), one), min(one, needed))],
        }
        for one in range(count)
    ]
    return _document(tasks)


def _document(tasks: list[dict[str, Any]]) -> WorkflowDefinition:
    document = {"id": "large-flow", "name": "Large", "version": "1.0.0", "tasks": tasks}
    return WorkflowDefinition.model_validate(document)


def drawn_graph(seed: int, count: int, edges: int, reach: int) -> WorkflowDefinition:
    """Draw a graph as people write them: a third is tried again after pauses, some wait for others or say what they are for."""
    drawn, found = random.Random(seed), set[tuple[int, int]]()
    while len(found) < edges:
        first, then = sorted(drawn.sample(range(count), 2))
        if then - first <= reach:
            found.add((first, then))
    needs: list[list[str]] = [[] for _ in range(count)]
    for first, then in sorted(found):
        needs[then].append(f"task_{first:04}")
    return _document([_task(drawn, number, needs[number]) for number in range(count)])


def _task(drawn: random.Random, number: int, needs: list[str]) -> dict[str, Any]:
    task: dict[str, Any] = {"id": f"task_{number:04}", "type": "transform", "needs": needs}
    if drawn.random() < 0.1:
        task |= {"type": "agent", "agent": "reader"}
    if drawn.random() < 0.3:
        task["retry"] = {"strategy": "exponential", "max_attempts": 3, "base_s": 5, "max_s": 60}
    if drawn.random() < 0.3:
        task["priority"] = drawn.randint(1, 10)
    if needs and drawn.random() < 0.3:
        task["when"] = f"{{% $tasks.{needs[0]} != null %}}"
    if drawn.random() < 0.2:
        task["description"] = f"Reads what came in by post and weighs it, part {number}"
    return task


def named_states(machine: dict[str, Any]) -> list[str]:
    names, pending = [], [machine]
    while pending:
        for name, state in pending.pop()["States"].items():
            names.append(name)
            pending += state.get("Branches", [])
            pending += [state["ItemProcessor"]] if "ItemProcessor" in state else []
    return names


def joins_by_room(compiled: Compiled) -> int:
    return sum(one.is_await and one.is_function for one in entered_states(compiled.program, compiled.machine))


@pytest.mark.parametrize(("seed", "reach"), [(1, 1_000), (2, 200), (3, 60)])
def test_a_thousand_tasks_with_five_thousand_edges_fit(seed: int, reach: int) -> None:
    compiled = compile_workflow(drawn_graph(seed, 1_000, 5_000, reach))
    assert compiled.fault is None
    assert request_bytes(compiled.machine) < MARGIN * MOST_REQUEST_BYTES
    assert len(compiled.text().encode()) < 800_000
    assert compiled.text().count("Reads what came in by post") > 100, "descriptions are kept"
    assert "task_0999" in compiled.text()
    assert joins_by_room(compiled) > 500


def test_the_longest_names_fit_too() -> None:
    """Paths as long as may be, and a description on every task: about a third of that size is left."""
    tasks = [
        {**task.model_dump(exclude_defaults=True), "id": task.id.ljust(48, "x"), "description": "d" * 80}
        | {"needs": [need.ljust(48, "x") for need in task.needs]}
        for task in drawn_graph(4, 700, 3_500, 100).tasks
    ]
    assert compile_workflow(_document(tasks)).fault is None


def test_a_small_machine_waits_by_itself_and_names_whom_it_waits_for() -> None:
    compiled = compile_workflow(a_graph(60, 3))
    assert joins_by_room(compiled) == 0
    assert '"#0":"r:t' in compiled.text()


def test_a_large_one_says_whom_it_waits_for_while_there_is_room() -> None:
    compiled = compile_workflow(a_graph(1_000, 4))
    assert joins_by_room(compiled) > 500
    assert '"Comment":"Waits for t' in compiled.text()


def test_a_large_chain_fits() -> None:
    assert compile_workflow(a_graph(2_000, 1)).fault is None


@pytest.mark.parametrize("count", [200, 900])
def test_the_same_document_gives_the_same_bytes(count: int) -> None:
    assert compile_workflow(a_graph(count, 3)).text() == compile_workflow(a_graph(count, 3)).text()


def test_what_no_machine_can_hold_is_said() -> None:
    compiled = compile_workflow(a_graph(2_000, 5))
    assert len(compiled.program.tasks) == 2_000
    fault = compiled.fault
    assert fault is not None
    assert f"{MOST_REQUEST_BYTES:,} in one request" in fault.detail
    assert f"{request_bytes(compiled.machine):,} bytes" in fault.detail
    assert "states that wait for several tasks take" in fault.detail
    assert "2 or more" in fault.fix
    assert "subworkflow" in fault.fix


def test_a_request_is_counted_as_it_is_sent() -> None:
    machine = {"Comment": 'ä "quoted"', "States": {"a": {"Arguments": {"FunctionName": "${TaskRun}"}}}}
    text = json.dumps(machine, ensure_ascii=False, separators=(",", ":"))
    sent = text.replace("${TaskRun}", f"stepward-{'s' * 16}-task-run")
    assert request_bytes(machine) == len(json.dumps(sent)) + REST_OF_REQUEST_BYTES


def test_no_state_has_too_long_a_name() -> None:
    ids = [f"{'a' * 43}{one:04}" for one in range(12)]
    inner = [
        {
            "id": f"{'b' * 20}{one:02}",
            "type": ("wait" if one % 3 == 0 else "transform"),
            **({"seconds": 1} if one % 3 == 0 else {}),
            "needs": [f"{'b' * 20}{need:02}" for need in range(max(0, one - 3), one) if (one + need) % 2],
        }
        for one in range(9)
    ]
    tasks = [{"id": ids[0], "type": "foreach", "items": [1], "tasks": inner}]
    names = named_states(compile_workflow(_document(tasks)).machine)
    longest = max(len(name.partition(" ")[0]) for name in names)
    assert longest == LONGEST_PATH_CHARS
    assert max(map(len, names)) <= LONGEST_NAME_CHARS
    assert len(set(names)) == len(names)


def test_no_latch_grows_too_large() -> None:
    program = compile_workflow(a_graph(600, 4)).program
    latches: dict[str, int] = {}
    for planned in program.tasks.values():
        latches[planned.latch] = latches.get(planned.latch, 0) + 1
    assert max(latches.values()) <= 40
