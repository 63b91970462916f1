"""What `bench workflows` makes of graphs and of histories: it must see a barrier that a machine hides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.bench.graphs import OWN, Graph, graph_of, read_graphs
from infra.local.bench.workflows import makespan_of, states_of
from infra.local.faults import LaptopError
from tests.support.task_graphs import KEPT

CROSSING = graph_of(json.loads((OWN / "crossing_4.json").read_text()))


def history(*lines: str) -> list[dict[str, Any]]:
    """Write events as `+task` and `-task`."""
    kinds = {
        "+": ("TaskStateEntered", "stateEnteredEventDetails"),
        "-": ("TaskStateExited", "stateExitedEventDetails"),
    }
    return [{"type": kinds[line[0]][0], kinds[line[0]][1]: {"name": line[1:]}} for line in lines]


def test_the_graphs_that_ship_are_those_of_the_tests() -> None:
    shipped = {
        graph.name: {task: list(needs) for task, needs in graph.needs.items()} for graph in read_graphs(OWN)
    }
    kept = {read["name"]: read["needs"] for read in (json.loads(file.read_text()) for file in KEPT)}
    assert shipped == kept


def test_a_barrier_costs_a_level_its_longest_task() -> None:
    units = CROSSING.units
    assert CROSSING.critical_path == max(
        units["t0"] + units["t2"], max(units["t0"], units["t1"]) + units["t3"]
    )
    assert CROSSING.barrier_makespan == max(units["t0"], units["t1"]) + max(units["t2"], units["t3"])
    assert CROSSING.critical_path < CROSSING.barrier_makespan


def test_a_history_without_a_barrier_takes_the_critical_path() -> None:
    free = history("+t0", "+t1", "-t0", "+t2", "-t1", "+t3", "-t3", "-t2")
    if CROSSING.units["t1"] < CROSSING.units["t0"]:
        free = history("+t0", "+t1", "-t1", "-t0", "+t2", "+t3", "-t3", "-t2")
    assert makespan_of(CROSSING, free) == CROSSING.critical_path


def test_a_hidden_barrier_shows_in_the_makespan() -> None:
    graph = Graph("two_chains", {"a": (), "b": (), "after_a": ("a",), "after_b": ("b",)})
    first, second = sorted(("a", "b"), key=lambda task: graph.units[task])
    assert graph.units[first] < graph.units[second]
    held = history("+a", "+b", f"-{first}", f"-{second}", "+after_a", "+after_b", "-after_a", "-after_b")
    over = graph.units[second]
    assert makespan_of(graph, held) == over + max(graph.units["after_a"], graph.units["after_b"])


def test_a_join_that_was_woken_before_its_feeder_left_its_state_starts_after_it() -> None:
    chain = Graph("chain", {"a": (), "b": ("a",)})
    assert makespan_of(chain, history("+a", "+b", "-a", "-b")) == chain.critical_path


def test_a_history_without_a_task_is_no_measure() -> None:
    with pytest.raises(LaptopError, match="lacks"):
        makespan_of(CROSSING, history("+t0", "-t0"))


def test_states_are_found_however_deep_they_are() -> None:
    inner = {"StartAt": "b", "States": {"b": {"Type": "Task"}}}
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "c", "States": {"c": {"Type": "Pass"}}}}
    machine = {"States": {"a": {"Type": "Parallel", "Branches": [inner]}, "each": each}}
    assert [state["Type"] for state in states_of(machine)] == ["Parallel", "Map", "Task", "Pass"]


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"a": ["b"], "b": ["a"]}, "circle"),
        ({"a": ["gone"]}, "gone"),
        ({"a b": []}, "a b"),
        ({}, "no tasks"),
        ([], "no graph"),
    ],
)
def test_a_file_without_a_graph_is_named(tmp_path: Path, needs: Any, said: str) -> None:
    (tmp_path / "wrong.json").write_text(json.dumps({"name": "wrong", "needs": needs}))
    with pytest.raises(LaptopError, match=said):
        read_graphs(tmp_path)


def test_a_folder_without_graphs_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaptopError, match="holds no graph"):
        read_graphs(tmp_path)
