"""`bench workflows`: run graphs as workflows and read from their histories what they enter and whether any task waits.

Each graph runs twice: once with tasks that only compute, whose history is counted, and once with tasks that call out
and wait to be called back, so that the bench decides how long each takes. Time comes in ticks: a tick calls back every
task whose units are over, and the next one comes only when all tasks that may run by the graph have started. A machine
that let a task wait for others than those that it needs would show a makespan above the critical path.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from infra.local.bench.called_site import CalledSite, called_site
from infra.local.bench.graphs import OWN, Graph, read_graphs
from infra.local.faults import LaptopError
from infra.local.histories import count
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import http_client

_START_S = 10.0
"""How long a task may take to start once what it needs is done: a machine is busy now and then."""
_LATE_S = 0.2
"""How long one that was late already is waited for at each further tick."""
_RUN_S = 60.0
_POLL_S = 0.1


def workflows(*, graphs: Path | None) -> int:
    """Run every graph of a folder; a makespan above the critical path is a failure."""
    read = read_graphs(graphs or OWN)
    with called_site() as (site, address):
        options = LaptopOptions(settings=(f"http_allow={json.dumps([address])}",))
        with Laptop(options) as laptop, http_client(laptop) as client:
            bench = WorkflowBench(laptop, client, site, address)
            figures = {graph.name: bench.measure(graph) for graph in read}
    print(json.dumps({"graphs": figures}, indent=2))
    return 0 if all(one["makespan"] == one["critical_path"] for one in figures.values()) else 1


@dataclass(frozen=True)
class WorkflowBench:
    """A laptop, a client of its API, and the site that the tasks call."""

    laptop: Laptop
    client: httpx2.Client
    site: CalledSite
    address: str

    def measure(self, graph: Graph) -> dict[str, int]:
        """Run a graph both ways and give its figures."""
        computing = self._register(graph, "computes", {"type": "transform", "output": 1})
        states = states_of(json.loads(computing["definition"]))
        return {
            "tasks": len(graph.needs),
            "edges": graph.edges,
            "awaits": sum(_is_await(state) for state in states),
            "parallels": sum(state["Type"] == "Parallel" for state in states),
            "states_entered": count(self._history(computing, self._start(computing))).states_entered,
            "makespan": self._makespan(graph),
            "critical_path": graph.critical_path,
            "barrier_makespan": graph.barrier_makespan,
        }

    def _makespan(self, graph: Graph) -> int:
        settings = {
            "type": "webhook",
            "url": f"{self.address}/started",
            "wait_for_call": True,
            "timeout_s": 900,
        }
        waiting = self._register(graph, "waits", settings)
        self.site.forget()
        run = self._start(waiting)
        self._tick_to_the_end(graph)
        return makespan_of(graph, self._history(waiting, run))

    def _tick_to_the_end(self, graph: Graph) -> None:
        """Advance time in ticks until every task is done.

        A task that starts before what it needs is a violation.
        """
        left, done, late = dict(graph.units), set[str](), set[str]()
        while len(done) < len(left):
            expected = graph.may_run(done)
            late = self.site.missing(expected - late, _START_S) | self.site.missing(late, _LATE_S)
            started = self.site.started
            if started - expected:
                raise LaptopError(
                    f"{graph.name}: {sorted(started - expected)} started before what they need was done"
                )
            if not started - done:
                raise LaptopError(
                    f"{graph.name}: nothing runs, and {sorted(late)} did not start in {_START_S:g} s"
                )
            left |= {task: left[task] - 1 for task in started - done}
            over = {task for task in started - done if left[task] == 0}
            for task in sorted(over):
                _good(self.client.post(self.site.callback_of(task), json={"task": task}))
            done |= over

    def _register(self, graph: Graph, how: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Register the graph with tasks of one kind; give the state machine that it became."""
        name = f"bench-{re.sub('[^a-z0-9]+', '-', graph.name.lower()).strip('-')}-{how}"
        tasks = [
            {"id": task, "needs": list(needs), "with": {"task": task}, **settings}
            for task, needs in graph.needs.items()
        ]
        document = {"id": name, "name": f"{graph.name} that {how}", "version": "1.0.0", "tasks": tasks}
        kept = _good(self.client.post("/workflows", json=document, params={"wait": 25}))
        if kept["status"] != "READY":
            raise LaptopError(f"{name} is {kept['status']} and not READY: {kept.get('detail')}")
        states = self.laptop.client("stepfunctions")
        arns = [
            one["stateMachineArn"] for one in states.list_state_machines(maxResults=1000)["stateMachines"]
        ]
        arn = next(arn for arn in arns if arn.endswith(kept["machine"]))
        return {"workflow": name, **states.describe_state_machine(stateMachineArn=arn)}

    def _start(self, machine: dict[str, Any]) -> str:
        started = _good(self.client.post(f"/workflows/{machine['workflow']}/runs", json={"input": {}}))
        return str(started["id"])

    def _history(self, machine: dict[str, Any], run: str) -> list[dict[str, Any]]:
        """Wait for the end of a run's execution and read its events."""
        states, end_s = self.laptop.client("stepfunctions"), time.monotonic() + _RUN_S
        arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run}.1"
        while (status := states.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            if time.monotonic() > end_s:
                raise LaptopError(f"{arn} did not end within {_RUN_S:g} s; see {self.laptop.log_dir}")
            time.sleep(_POLL_S)
        if status != "SUCCEEDED":
            raise LaptopError(f"{arn} ended as {status}; see {self.laptop.log_dir}")
        return self.laptop.history(arn)


_AWAIT = "dynamodb:updateItem.waitForTaskToken"


def _is_await(state: dict[str, Any]) -> bool:
    """Return whether a state waits for several tasks.

    It does by a write of its own or, in a large machine, by one that its function makes.
    """
    payload = state.get("Arguments", {}).get("Payload", {})
    return str(state.get("Resource")).endswith(_AWAIT) or str(payload.get("step")) == "wait"


def makespan_of(graph: Graph, events: list[dict[str, Any]]) -> int:
    """Return when the last task was over, in units, by the order of a history.

    A task starts when the last of those ended whose end comes before its start in the history. What it needs has ended
    too, even where the history has that end a line later: a join may be woken before its feeder's own state is left.
    """
    over: dict[str, int] = {}
    now = 0
    for event in events:
        kind, entered, exited = event["type"], "stateEnteredEventDetails", "stateExitedEventDetails"
        name = event.get(entered, event.get(exited, {})).get("name")
        if name not in graph.needs:
            continue
        if kind.endswith("StateEntered"):
            since = max([now, *(over[need] for need in graph.needs[name])])
            over[name] = since + graph.units[name]
        else:
            now = max(now, over[name])
    if over.keys() != graph.needs.keys():
        raise LaptopError(f"{graph.name}: the history lacks {sorted(graph.needs.keys() - over.keys())}")
    return max(over.values())


def states_of(machine: dict[str, Any]) -> list[dict[str, Any]]:
    """List the states of a machine and of all that is nested in it."""
    own = list(machine["States"].values())
    inner = [
        part for state in own for part in (*state.get("Branches", ()), state.get("ItemProcessor")) if part
    ]
    return own + [state for part in inner for state in states_of(part)]


def _good(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise LaptopError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
