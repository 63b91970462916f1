"""Plays a shipped agent turn by turn with the real backend and the real tools, over data sets in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import stepward
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import Exchange, ModelRequest
from stepward.domain.errors import NotFound
from stepward.models.scripted import ScriptedBackend
from stepward.ports.tool_services import DataFile
from stepward.tools.base import ToolContext
from stepward.tools.execution import execute

LIBRARY = Path(stepward.__file__).parent / "library"
DATASETS = LIBRARY / "support" / "datasets"


@dataclass
class FolderDatasets:
    """The shipped files, any of which a test may replace."""

    replaced: dict[str, bytes] = field(default_factory=dict)

    def read(self, tenant: str, path: str, known_version: str | None = None) -> DataFile | None:
        file = DATASETS.parent / path
        if path not in self.replaced and not file.is_file():
            raise NotFound(f"there is no data set {path!r}.")
        body = self.replaced.get(path) or file.read_bytes()
        return DataFile(version=str(hash(body)), body=body)

    def is_there(self, tenant: str, path: str) -> bool:
        return path in self.replaced or (DATASETS.parent / path).is_file()


@dataclass
class Played:
    """How a rehearsal went."""

    output: str
    calls: list[list[str]]
    results: list[Any]


def load(path: str) -> AgentDefinition:
    return AgentDefinition.model_validate(yaml.safe_load((LIBRARY / path).read_text(encoding="utf-8")))


def play(agent: AgentDefinition, given: str, replaced: dict[str, bytes] | None = None) -> Played:
    """Run turns until one makes no call; `given` is the run's input as text."""
    assert agent.rehearsal is not None
    backend = ScriptedBackend(agent.rehearsal)
    datasets = FolderDatasets(replaced or {})
    history: list[Exchange] = []
    while True:
        request = ModelRequest(model=agent.model, prompt=agent.prompt, input=given, history=tuple(history))
        reply = backend.reply(request)
        if not reply.calls:
            done = [result for exchange in history for result in exchange.results]
            return Played(
                reply.text, [[c.tool for c in e.reply.calls] for e in history], [r.content for r in done]
            )
        results = tuple(
            execute(call, agent.tool(call.tool), ToolContext("acme", call.id, datasets))
            for call in reply.calls
        )
        history.append(Exchange(reply=reply, results=results))
