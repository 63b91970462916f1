"""Small ports in memory: data sets, API keys, machine, events, cached replies, time, ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from stepward.domain.errors import NotFound
from stepward.domain.runs import RunKey
from stepward.ports.identity import ApiKeyRecord
from stepward.ports.models import KeptReply, ResponseKey
from stepward.ports.tool_services import DataFile, KeptFile


class MemoryDatasets:
    """Keeps files by tenant and path."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], bytes] = {}

    def put(self, tenant: str, path: str, body: bytes) -> None:
        """Write a file."""
        self._files[(tenant, path)] = body

    def read(self, tenant: str, path: str, known_version: str | None = None) -> DataFile | None:
        """Read a file; its version is its hash."""
        body = self._files.get((tenant, path))
        if body is None:
            raise NotFound(
                f"there is no data set {path!r}.", field="source", fix="upload it to the data bucket"
            )
        version = hashlib.sha256(body).hexdigest()
        return None if version == known_version else DataFile(version=version, body=body)

    def is_there(self, tenant: str, path: str) -> bool:
        """Return whether a file exists."""
        return (tenant, path) in self._files

    def list_files(self, tenant: str, prefix: str, limit: int, after: str | None = None) -> list[KeptFile]:
        """List files by key."""
        keys = sorted(key for owner, key in self._files if owner == tenant and key.startswith(prefix))
        return [self._kept(tenant, key) for key in keys if key > (after or "")][:limit]

    def write(self, tenant: str, path: str, body: bytes, content_type: str) -> str:
        """Write a file; its content type does not matter here."""
        del content_type
        self.put(tenant, path, body)
        return hashlib.sha256(body).hexdigest()

    def _kept(self, tenant: str, key: str) -> KeptFile:
        body = self._files[(tenant, key)]
        version = hashlib.sha256(body).hexdigest()
        return KeptFile(key=key, size_bytes=len(body), version=version, changed_at="2026-01-01T00:00:00.000Z")


class MemoryIdentity:
    """Keeps API keys by their public part."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKeyRecord] = {}

    def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """Find a key."""
        return self._keys.get(key_id)

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a key."""
        self._keys[record.key_id] = record

    def api_keys(self, tenant: str | None) -> list[ApiKeyRecord]:
        """List keys, the newest first."""
        mine = [key for key in self._keys.values() if tenant in (None, key.tenant)]
        return sorted(mine, key=lambda key: (key.created_at, key.key_id), reverse=True)

    def revoke(self, key_id: str, at: str) -> bool:
        """Write when a key was first revoked."""
        found = self._keys.get(key_id)
        if found is None:
            return False
        self._keys[key_id] = found.model_copy(update={"revoked_at": found.revoked_at or at})
        return True


class MemoryRunMachine:
    """Records executions that were started and stopped; `on_start` may carry a run for real."""

    def __init__(self, on_start: Callable[[RunKey], None] | None = None) -> None:
        self.started: dict[str, RunKey] = {}
        self.stopped: dict[str, str] = {}
        self.answered: list[str] = []
        self._on_start = on_start

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start an execution once a name."""
        if execution_name not in self.started:
            self.started[execution_name] = key
            if self._on_start:
                self._on_start(key)

    def is_running(self, execution_name: str) -> bool:
        """Return whether an execution was started and has not ended."""
        return execution_name in self.started and execution_name not in self.stopped

    def answer(self, token: str) -> bool:
        """Record the first answer to each token."""
        is_first = token not in self.answered
        self.answered.append(token)
        return is_first

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """Record the first stop."""
        self.stopped.setdefault(execution_name, f"{error}: {cause}")


class StillClock:
    """A clock that moves only when `forward` is called."""

    def __init__(self, moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Read the clock."""
        return self._moment

    def forward(self, seconds: float) -> None:
        """Move the clock."""
        self._moment += timedelta(seconds=seconds)


class CountingIds:
    """Ids in sequence, of the right form."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, prefix: str) -> str:
        """Make the next id."""
        return f"{prefix}_{next(self._numbers):026d}"

    def secret(self) -> str:
        """Make the next secret."""
        return f"secret-{next(self._numbers):026d}"


class MemoryEvents:
    """Records the events that are put."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Record one event."""
        self.events.append((source, type_, detail))


class MemoryResponseCache:
    """Keeps replies in a dictionary, and counts reads and writes; nothing is ever removed."""

    def __init__(self) -> None:
        self._kept: dict[ResponseKey, KeptReply] = {}
        self.reads = 0
        self.writes = 0

    def find(self, key: ResponseKey) -> KeptReply | None:
        """Read a reply."""
        self.reads += 1
        return self._kept.get(key)

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        """Keep a reply."""
        self.writes += 1
        self._kept[key] = kept
