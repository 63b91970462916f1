"""Show the whole product at work: a support agent answers a dozen tickets through the real stack, then the bill."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local import provider_keys
from infra.local.demo_file_trigger import drop, make_inbox
from infra.local.demo_model import DemoModel, chosen
from infra.local.executor import Trouble
from infra.local.faults import LaptopError
from infra.local.histories import STATE_USD_MICROS, count, wait_for_end
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import SUPPORT, http_client, load_support, rows
from infra.local.synthesis import ROOT

_AT_ONCE = 4
_RUN_LIMIT_S = 60.0
_WAIT_S = 25
_STARTS = 3
_TICK_S = 0.5
_PLAIN_WIDTH = 120
_STATE_DIR = ROOT / ".stepward" / "demo"
_LOCK_FILE = ROOT / ".stepward" / "demo.lock"


@dataclass(frozen=True)
class Outcome:
    """What became of one ticket."""

    ticket: str
    order: str
    expected: str
    run: dict[str, Any]
    states_entered: int
    came_by: str = "HTTP"
    by_model: bool = False

    @property
    def answer(self) -> str:
        """The agent's answer, or why there is none."""
        return str(self.run.get("output") or (self.run.get("error") or {}).get("detail") or "")

    @property
    def is_right(self) -> bool:
        """Whether the run completed with the answer that the data calls for."""
        return self.run["status"] == "COMPLETED" and self._says(self.expected)

    def _says(self, expected: str) -> bool:
        """Return whether an answer is right.

        A scripted model says the exact words; of a real one only the figures are compared.
        """
        figures = re.findall(r"\d+(?:\.\d+)?", expected)
        return all(one in self.answer for one in figures) if self.by_model else expected in self.answer


def run(*, as_json: bool = False, model: str | None = None, provider_url: str | None = None) -> int:
    """Run the demo and print its table or one JSON document; a wrong answer is a failure.

    Args:
        as_json: Print one JSON document, and nothing else.
        model: Which model answers; without it the agent's rehearsal does.
        provider_url: Where its provider is, if not at the vendor's own address.
    """
    asked = chosen(model, provider_url)
    with _alone():
        return _run(asked, as_json=as_json)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of this checkout's demo, so that a second one cannot take its folder away."""
    _LOCK_FILE.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK_FILE.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaptopError("Another demo runs in this checkout; wait for its end.") from None
        yield


def _run(asked: DemoModel | None, *, as_json: bool) -> int:
    console = _console(as_json=as_json)
    started_s = time.monotonic()
    shutil.rmtree(_STATE_DIR, ignore_errors=True)
    console.print("[bold]Stepward demo[/bold]: synthesising the CDK app and deploying it to this machine …")
    options = LaptopOptions(
        state_dir=_STATE_DIR,
        principal="demo",
        provider_keys=asked.keys if asked else provider_keys.take(),
        settings=asked.settings if asked else (),
    )
    with Laptop(options, lambda trouble: _tell(console, trouble)) as laptop:
        agent = load_support(laptop, asked.name if asked else None)
        resources, seconds = len(laptop.deployment.resources), time.monotonic() - started_s
        console.print(
            f"{resources} resources are up after {seconds:.1f} s. {agent} now answers the tickets; the last one comes as a file:"
        )
        outcomes = sorted(_answer_all(laptop, agent, console, asked), key=lambda outcome: outcome.ticket)
    if as_json:
        print(json.dumps(_document(outcomes), indent=2))
    else:
        console.print(_table(outcomes))
        _print_totals(console, outcomes, asked)
        _print_next_steps(console)
    return 0 if outcomes and all(outcome.is_right for outcome in outcomes) else 1


def _console(*, as_json: bool) -> Console:
    # As JSON, stdout belongs to the document; what happens on the way is told beside it.
    out = sys.stderr if as_json else sys.stdout
    return Console(file=out) if out.isatty() else Console(file=out, width=_PLAIN_WIDTH)


def _document(outcomes: list[Outcome]) -> dict[str, Any]:
    tickets = [
        {
            "ticket": outcome.ticket,
            "came_by": outcome.came_by,
            "order": outcome.order,
            "run": outcome.run.get("id"),
            "status": outcome.run["status"],
            "answer": outcome.answer,
            "expected": outcome.expected,
            "is_right": outcome.is_right,
            "states_entered": outcome.states_entered,
            "machine_usd_micros": outcome.states_entered * STATE_USD_MICROS,
            **outcome.run["totals"],
        }
        for outcome in outcomes
    ]
    right = sum(outcome.is_right for outcome in outcomes)
    return {"right": right, "of": len(outcomes), "tickets": tickets}


def _answer_all(laptop: Laptop, agent: str, console: Console, asked: DemoModel | None) -> Iterator[Outcome]:
    tickets = rows(SUPPORT / "demo.csv")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        http_client(laptop) as client,
        ThreadPoolExecutor(_AT_ONCE) as threads,
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        task = progress.add_task("tickets", total=len(tickets))
        orders = {row["ticket_id"]: row["order_id"] for row in rows(SUPPORT / "datasets" / "tickets.csv")}
        make_inbox(client, agent)
        *sent, dropped = tickets
        waiting = [threads.submit(_answer, laptop, client, agent, ticket, orders) for ticket in sent]
        waiting.append(threads.submit(_answer_file, laptop, client, dropped, orders))
        for done in _as_completed(threads, waiting):
            outcome = replace(done.result(), by_model=asked is not None)
            progress.advance(task)
            mark = "[green]✓[/green]" if outcome.is_right else "[red]✗[/red]"
            came = "a file in S3: " if outcome.came_by == "S3" else ""
            progress.console.print(
                f"  {mark} {outcome.ticket}  {came}{outcome.answer}", soft_wrap=True, highlight=False
            )
            yield outcome


def _as_completed(threads: ThreadPoolExecutor, waiting: list[Future[Outcome]]) -> Iterator[Future[Outcome]]:
    """Yield each ticket when it is answered.

    It wakes often, since a signal that another thread got ends the demo only then.
    """
    pending = set(waiting)
    try:
        while pending:
            done, pending = wait(pending, timeout=_TICK_S, return_when=FIRST_COMPLETED)
            yield from done
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _answer(
    laptop: Laptop, client: httpx2.Client, agent: str, ticket: dict[str, str], orders: dict[str, str]
) -> Outcome:
    ticket_id = ticket["ticket_id"]
    response = _start(client, agent, ticket_id)
    order = orders.get(ticket_id) or "none"
    if response.status_code not in (200, 202):
        refused = {"status": f"HTTP {response.status_code}", "error": {"detail": response.text}, "totals": {}}
        return Outcome(ticket_id, order, ticket["expect"], refused, 0)
    ended, states = _ended(laptop, client, response.json()["id"])
    return Outcome(ticket_id, order, ticket["expect"], ended, states)


def _start(client: httpx2.Client, agent: str, ticket_id: str) -> httpx2.Response:
    """Start a run; one whose function was not there in time is found again by its key."""
    body = {"input": {"ticket_id": ticket_id}}
    for _ in range(_STARTS):
        response = client.post(
            f"/agents/{agent}/runs",
            params={"wait": _WAIT_S},
            json=body,
            headers={"Idempotency-Key": ticket_id},
        )
        if response.status_code != 503:
            break
    return response


def _answer_file(
    laptop: Laptop, client: httpx2.Client, ticket: dict[str, str], orders: dict[str, str]
) -> Outcome:
    ticket_id = ticket["ticket_id"]
    ended, states = _ended(laptop, client, drop(laptop, client, ticket_id))
    return Outcome(ticket_id, orders.get(ticket_id) or "none", ticket["expect"], ended, states, "S3")


def _ended(laptop: Laptop, client: httpx2.Client, run_id: str) -> tuple[dict[str, Any], int]:
    """Wait for a run's end; give the run and the states that it entered."""
    execution = wait_for_end(laptop, run_id, _RUN_LIMIT_S)
    return client.get(f"/runs/{run_id}").json(), count(laptop.history(execution)).states_entered


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="What each ticket took", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=True)
    for name in ("ticket", "by", "order", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("answer", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("turns", "tools", "model*", "states", "machine*"):
        table.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        totals = outcome.run["totals"]
        table.add_row(
            outcome.ticket,
            outcome.came_by,
            outcome.order,
            outcome.run["status"],
            outcome.answer if outcome.is_right else f"[red]expected: {outcome.expected}[/red]",
            str(totals.get("turns", 0)),
            str(totals.get("tool_calls", 0)),
            _usd(totals.get("cost_usd_micros", 0)),
            str(outcome.states_entered),
            _usd(outcome.states_entered * STATE_USD_MICROS),
        )
    return table


def _print_totals(console: Console, outcomes: list[Outcome], asked: DemoModel | None) -> None:
    right = sum(outcome.is_right for outcome in outcomes)
    states = sum(outcome.states_entered for outcome in outcomes)
    model = sum(outcome.run["totals"].get("cost_usd_micros", 0) for outcome in outcomes)
    console.print(
        f"{right} of {len(outcomes)} tickets answered as the data calls for. "
        f"{states} states entered.\n"
        f"* model {_usd(model)} in all: {_who_pays(asked)}. "
        f"machine {_usd(states * STATE_USD_MICROS)} in all: Step Functions at $25 a million states.",
        highlight=False,
        soft_wrap=True,
    )


def _who_pays(asked: DemoModel | None) -> str:
    if asked is None:
        return "rehearsed, so nothing was paid; counted at list prices"
    if not asked.is_paid:
        return f"{asked.name} as a provider on this machine plays it, so nothing was paid; counted at list prices"
    return f"billed by {asked.provider} for {asked.name}, by the tokens that it counted, at list prices"


def _print_next_steps(console: Console) -> None:
    console.print(
        "\nThe answers depend on the data: change an order in shared/stepward/library/support/datasets/orders.csv "
        "and run this again.\n"
        f"Every function's log:  {_STATE_DIR.relative_to(ROOT) / 'logs'}/\n"
        "Keep it running:       make up\n"
        "What a run takes:      make bench\n"
        "With a real model:     make demo MODEL=balanced\n"
        "An agent of your own:  shared/docs/start.md",
        highlight=False,
        soft_wrap=True,
    )


def _usd(micros: int) -> str:
    return f"${micros / 1_000_000:.6f}"


def _tell(console: Console, trouble: Trouble) -> None:
    console.print(f"  ! {trouble}", style="yellow", soft_wrap=True, highlight=False, markup=False)
