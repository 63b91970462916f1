"""One run without a kill, then one for each place at which its processes can be killed."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2

from infra.local.bench.called_site import called_site
from infra.local.bench.fake_provider import fake_provider
from infra.local.bench.kills.callers import Callers
from infra.local.bench.kills.killer import OF_WRITES, WITHIN, Kill, killing
from infra.local.bench.kills.relay import Relay, relay_to
from infra.local.bench.kills.shapes import MODEL_AGENT, Document, Shape, shapes
from infra.local.faults import LaptopError, UnusableOption
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import SUPPORT, http_client, upload_datasets

HEALS_WITHIN_S: Final = 150.0
"""The janitor mends within two minutes what nobody else does; the rest is for a busy machine."""
ALL_WITHIN_S: Final = 3_600.0
_FREED_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.1
_ASKED: Final = "model_calls"


@dataclass
class Report:
    """What was tried and what did not hold.

    `missed` are places that a run did not come to, since it went another way.
    """

    tried: int = 0
    violations: list[Document] = field(default_factory=list)
    by_fault: Counter[str] = field(default_factory=Counter)
    by_function: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def as_json(self) -> Document:
        """Put it as `bench faults` prints it."""
        kills = {f"sigkill_{when}_a_write": self.by_fault[when] for when in OF_WRITES}
        kills |= {"sigkill_within_a_stream": self.by_fault[WITHIN]}
        return {
            "tried": self.tried,
            "violations": self.violations,
            "by_fault": kills,
            "killed_by_function": dict(sorted(self.by_function.items())),
            "missed": self.missed,
        }


def sweep(names: Sequence[str] | None = None, sample: int | None = None, seed: int = 1) -> Document:
    """Kill at every write and in every stream of every shape, one kill a run.

    With a sample, a seed chooses a few places of each shape.
    """
    with _bench() as bench:
        for name in names or bench.shapes:
            bench.sweep_one(bench.shape(name), sample, random.Random(f"{name} {seed}"))  # noqa: S311
    return bench.report.as_json()


def replay(kill: Kill) -> Document:
    """Make one kill, as a report names it."""
    with _bench() as bench:
        shape = bench.shape(kill.shape)
        calm, writes = bench.calm(shape)
        if writes:
            bench.try_one(shape, kill, calm)
    return bench.report.as_json()


@contextmanager
def _bench() -> Iterator[_Bench]:
    with (
        called_site() as (site, address),
        _model() as (relay, models),
        Laptop(_options(address, models)) as laptop,
        http_client(laptop) as client,
    ):
        upload_datasets(laptop, SUPPORT / "datasets")
        yield _Bench(laptop, Callers(client, site), shapes(address), relay)


@contextmanager
def _model() -> Iterator[tuple[Relay, str]]:
    """Give a relay to a provider on loopback that plays the agent that asks a model."""
    with tempfile.TemporaryDirectory() as folder:
        agent = Path(folder) / "agent.yaml"
        agent.write_text(json.dumps(MODEL_AGENT), encoding="utf-8")
        with fake_provider(agent) as url, relay_to(url) as opened:
            yield opened


def _options(site: str, models: str) -> LaptopOptions:
    """Allow the called site and give models limits, so that these writes are met too."""
    entry = f"{{url={json.dumps(models)}, requests_per_minute=1000, tokens_per_minute=10000000}}"
    settings = (f"http_allow={json.dumps([site])}", f"providers.anthropic={entry}")
    return LaptopOptions(settings=settings, provider_keys={"anthropic": "loopback"})


@dataclass
class _Bench:
    """A laptop, those who use it, and what was found so far."""

    laptop: Laptop
    callers: Callers
    shapes: dict[str, Shape]
    relay: Relay
    report: Report = field(default_factory=Report)
    ends_s: float = field(default_factory=lambda: time.monotonic() + ALL_WITHIN_S)

    def shape(self, name: str) -> Shape:
        if name not in self.shapes:
            raise UnusableOption(f"there is no shape {name!r} to kill; known are: {', '.join(self.shapes)}")
        return self.shapes[name]

    def sweep_one(self, shape: Shape, sample: int | None, chance: random.Random) -> None:
        calm, writes = self.calm(shape)
        kills = [Kill(shape.name, when, place + 1) for place in range(writes) for when in OF_WRITES]
        kills += [Kill(shape.name, WITHIN, call + 1) for call in range(calm.get(_ASKED, 0))]
        chosen = kills if sample is None else sorted(chance.sample(kills, min(sample, len(kills))), key=str)
        for kill in chosen:
            if time.monotonic() > self.ends_s:
                self._violate(kill, [f"not tried: the sweep has taken {ALL_WITHIN_S:.0f} s"])
                return
            self.try_one(shape, kill, calm)

    def calm(self, shape: Shape) -> tuple[Document, int]:
        """Run once without a kill, as what the others are compared with.

        A shape that fails even so cannot be swept.
        """
        try:
            self.callers.register(shape)  # before anything is counted
        except (LaptopError, httpx2.HTTPError) as error:
            self._violate(Kill(shape.name, "before", 1), [f"{type(error).__name__}: {error}"])
            return {}, 0
        with killing(self.laptop, None, self.relay) as counter:
            found, faults = self._run(shape)
        if faults or not counter.writes:
            self._violate(Kill(shape.name, "before", 1), faults or ["it writes nothing"])
            return {}, 0
        return found, len(counter.writes)

    def try_one(self, shape: Shape, kill: Kill, calm: Document) -> None:
        self.report.tried += 1
        with killing(self.laptop, kill, self.relay) as killer:
            found, faults = self._run(shape)
        if killer.killed is None:
            self.report.missed.append(str(kill))
        else:
            self.report.by_fault[kill.when] += 1
            self.report.by_function[killer.killed] += 1
        faults = faults or [*differences(calm, found), *self._left_over()]
        if faults:
            self._violate(kill, [*faults, f"{killer.killed} was killed, of run {found.get('id')}"])

    def _run(self, shape: Shape) -> tuple[Document, list[str]]:
        """Carry a run to its end; an error is reported and does not end the sweep."""
        found: Document = {}
        self.relay.forget()
        try:
            found = {"id": self.callers.start(shape)}
            found = self.callers.to_its_end(found["id"], HEALS_WITHIN_S)
            if found["ended_at"]:
                return found | {_ASKED: self.relay.calls}, []
            self.callers.cancel(found["id"])  # so that the next run finds a quiet place
        except (LaptopError, httpx2.HTTPError) as error:
            return found, [f"{type(error).__name__}: {error}"]
        return found, [_still_open(found)]

    def _left_over(self) -> list[str]:
        """Look whether anything is still held now that the run has ended."""
        end_s = time.monotonic() + _FREED_WITHIN_S
        while (left := self.callers.left_over()) and time.monotonic() < end_s:
            time.sleep(_POLL_S)
        return [f"when it had ended, there were still {left}"] if left else []

    def _violate(self, kill: Kill, faults: list[str]) -> None:
        replayed = f"stepward bench faults --kill {kill}"
        self.report.violations.append({"kill": str(kill), "violations": faults, "replay": replayed})


def differences(calm: Document, found: Document) -> list[str]:
    """Name what a run with a kill shows otherwise than one without."""
    faults = [
        f"{name} is {found.get(name)!r}, not {calm.get(name)!r}"
        for name in ("status", "output")
        if found.get(name) != calm.get(name)
    ]
    faults += [
        f"{name} are {number(found)}, not {number(calm)}"
        for name, number in _COUNTED.items()
        if number(found) != number(calm)
    ]
    if found.get(_ASKED, 0) > calm.get(_ASKED, 0) + 1:
        faults.append(
            f"models were asked {found[_ASKED]} times, {calm.get(_ASKED, 0)} without a kill: one may be lost"
        )
    if _cost_usd_micros(found) < _cost_usd_micros(calm):
        faults.append(
            f"it costs {_cost_usd_micros(found)}, less than the {_cost_usd_micros(calm)} without a kill"
        )
    return faults


def _still_open(found: Document) -> str:
    tasks = [f"{task['task']} {task['status']}" for task in found.get("tasks", ())]
    return f"it is still {found['status']} after {HEALS_WITHIN_S:.0f} s ({', '.join(tasks) or 'an agent'})"


def _cost_usd_micros(found: Document) -> int:
    cost = found.get("totals") or found.get("cost") or {}
    return int(cost.get("cost_usd_micros", cost.get("models_usd_micros", 0)))


def _total(name: str) -> Any:
    return lambda found: (found.get("totals") or {}).get(name)


def _tasks(found: Document) -> dict[str, str]:
    return {task["task"]: task["status"] for task in found.get("tasks", ())}


_COUNTED: Final = {"turns": _total("turns"), "tool_calls": _total("tool_calls"), "tasks": _tasks}
