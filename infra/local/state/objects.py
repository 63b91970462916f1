"""Objects of buckets: the newest version of each, with its metadata."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from moto.s3.models import FakeDeleteMarker, s3_backends

from infra.local import account
from infra.local.state.folder import Unit
from infra.local.state.scans import Seen, dump


class Objects:
    """The source of everything in S3."""

    kind = "object"

    def scan(self) -> Iterator[Seen]:
        """Look at every object's newest version."""
        for bucket in list(_backend().buckets.values()):
            for name, versions in list(dict.items(bucket.keys)):
                if versions and not isinstance(versions[-1], FakeDeleteMarker):
                    newest = versions[-1]
                    yield Seen(Unit(self.kind, bucket.name, name), _mark(newest), _Writer(newest))

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Put an object into its bucket without telling anyone that it is new."""
        backend = _backend()
        if unit.home not in backend.buckets:
            return None
        key = backend.put_object(unit.home, unit.key, content["body"], disable_notification=True)
        key.set_metadata(dict(content["metadata"]))
        return _mark(key)


class _Writer:
    """Write an object down when it is asked for: most are only compared."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def __call__(self) -> bytes:
        return dump({"v": 1, "body": self._key.value, "metadata": dict(self._key.metadata)})


def _mark(key: Any) -> Hashable:
    return id(key), key.last_modified, tuple(sorted(key.metadata.items()))


def _backend() -> Any:
    return s3_backends[account.ACCOUNT_ID][account.PARTITION]
