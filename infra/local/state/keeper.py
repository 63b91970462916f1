"""Restore a laptop from its data folder, then keep every acknowledged write in it."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.engine.dynamodb.actions import Observer
from infra.local.state.executions import Executions
from infra.local.state.folder import DataFolder, Unit
from infra.local.state.machines import Machines
from infra.local.state.objects import Objects
from infra.local.state.queues import Messages
from infra.local.state.scans import Comparison, Source, dump, load
from infra.local.state.schedules import Schedules
from infra.local.state.tables import KIND, Items

_TICK_S = 0.5
"""How long a change that no request made (an execution that ended, a message that was hidden) may stay unwritten."""

_READS = ("GET", "HEAD", "OPTIONS")


@dataclass
class Restored:
    """What came back."""

    number: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    """Tables, buckets, queues and machines that the template no longer has; what they held stays in the folder."""

    executions: list[str] = field(default_factory=list)
    """Names of executions that were begun again."""


class Keeper:
    """One data folder in use."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Open the folder before anything is started, so that an unusable one is reported at once."""
        self._folder = DataFolder(folder, tell)
        self._items = Items(self._folder)
        self._machines, self._schedules, self._executions = Machines(), Schedules(), Executions()
        self._still: list[Source] = [Objects(), Messages(), self._machines]
        """What does nothing by itself, and may come back before anything runs."""
        sources: list[Source] = [*self._still, self._executions, self._schedules]
        self._comparisons = {source.kind: Comparison(source, self._folder) for source in sources}
        self._keeps = False
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True, name="keeper")
        self.restored = Restored()
        self.under_way: list[str] = []
        """Executions that had not ended when the laptop was stopped."""

    @property
    def folder(self) -> DataFolder:
        """Where everything is written."""
        return self._folder

    def behind(self, observer: Observer) -> Observer:
        """Stand behind every DynamoDB action, after another observer."""
        return self._items.behind(observer)

    def after_requests(self, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """Keep what a request has changed before its caller has the answer."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if self._ended.is_set():
                # What could not be kept any more must not be acknowledged either.
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            body = application(environ, start_response)
            if self._keeps and (environ["REQUEST_METHOD"] not in _READS):
                for kind in _kinds(environ):
                    self._keep(kind)
            return body

        return answer

    def restore(self) -> None:
        """Restore tables, objects, messages and machines into what was deployed; nothing runs yet."""
        self._machines.deployed()
        self._schedules.deployed()
        number, lost = self._items.restore()
        self.restored.number[KIND] = number
        self.restored.lost += lost
        for source in self._still:
            self._restore(source)

    def begin(self) -> None:
        """Let executions go on that were under way, and schedules; keep what changes from now on."""
        self._restore(self._executions, self.restored.executions)
        self._restore(self._schedules)
        self._keeps = True
        self._thread.start()

    def note(self, name: str) -> str | None:
        """Read what the laptop noted for its own next start."""
        return next((load(value) for unit, value in self._folder.units("note") if unit.key == name), None)

    def write_note(self, name: str, text: str) -> None:
        """Note something for the next start."""
        self._folder.write({Unit("note", "", name): dump(text)})

    def close(self) -> None:
        """Acknowledge nothing more, look a last time, let the folder go."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._keeps:
            self._keeps = False
            self.under_way = sorted(found.unit.key for found in self._executions.scan())
            for kind in self._comparisons:
                self._keep(kind)
        self._folder.close()

    def _restore(self, source: Source, names: list[str] | None = None) -> None:
        kept = [(unit, load(value)) for unit, value in self._folder.units(source.kind)]
        for unit, content in sorted(kept, key=lambda found: found[1].get("place", 0)):
            mark = source.restore(unit, content)
            if mark is None:
                self.restored.lost = sorted({*self.restored.lost, unit.home})
                continue
            self._comparisons[source.kind].remember(unit, mark)
            self.restored.number[source.kind] += 1
            if names is not None:
                names.append(unit.key)

    def _keep(self, kind: str) -> None:
        with self._mutex:
            self._comparisons[kind].keep()

    def _tick(self) -> None:
        while not self._ended.wait(_TICK_S):
            try:
                for kind in self._comparisons:
                    self._keep(kind)
                self._folder.retry()
            except Exception:  # noqa: BLE001 - the border of a thread: a fault here must not end all keeping
                traceback.print_exc(file=sys.stderr)


def _kinds(environ: dict[str, Any]) -> list[str]:
    """Say what a request may have changed, by the service that its signature names."""
    signed = environ.get("HTTP_AUTHORIZATION", "")
    services = {
        "/s3/": (Objects.kind,),
        "/sqs/": (Messages.kind,),
        "/states/": (Machines.kind, Executions.kind),
        "/scheduler/": (Schedules.kind,),
    }
    return [kind for service, kinds in services.items() if service in signed for kind in kinds]
