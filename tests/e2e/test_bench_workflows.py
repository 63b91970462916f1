"""`bench workflows` on the real machine: what graphs enter, and that no task waits for one that it does not need."""

from __future__ import annotations

import json

import httpx2
import pytest

from infra.local.bench.called_site import CalledSite
from infra.local.bench.graphs import OWN, graph_of
from infra.local.bench.workflows import WorkflowBench
from infra.local.laptop import Laptop

pytestmark = pytest.mark.laptop


@pytest.mark.parametrize(("name", "states", "makespan"), [("crossing_4", 7, 6), ("diamond", 6, 8)])
def test_a_graph_enters_no_more_than_it_must_and_takes_its_critical_path(
    laptop: Laptop, api: httpx2.Client, called: tuple[CalledSite, str], name: str, states: int, makespan: int
) -> None:
    graph = graph_of(json.loads((OWN / f"{name}.json").read_text()))
    measured = WorkflowBench(laptop, api, *called).measure(graph)
    assert measured["states_entered"] <= states
    assert measured["makespan"] == measured["critical_path"] == makespan
    assert measured["tasks"] == len(graph.needs)
