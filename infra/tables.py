"""The tables as data, because both the tables themselves and the grants on their indexes are made from it."""

from __future__ import annotations

from dataclasses import dataclass

TTL_ATTRIBUTE = "expires_at"


@dataclass(frozen=True)
class Index:
    """One secondary index, with the attributes that its lists show.

    So a list never has to read the items.
    """

    name: str
    includes: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, str]:
        """Follow the rule for key names, so that adapters can build them from the index's name."""
        return f"{self.name.lower()}pk", f"{self.name.lower()}sk"


@dataclass(frozen=True)
class TableSpec:
    """One table: string keys `pk` and `sk`, its indexes, and whether its changes are streamed."""

    name: str
    indexes: tuple[Index, ...] = ()
    streams_new_images: bool = False


_RUN_LIST = (
    "run",
    "tenant",
    "agent",
    "version",
    "principal",
    "status",
    "rehearsed",
    "charged",
    "models",
    "priority",
    "parent",
    "paused",
    "created_at",
    "deadline_at",
    "ended_at",
    "ended_seq",
    "error",
    "totals",
    "aws",
)
_APPROVAL_LIST = ("asked", "said")
_WORKFLOW_RUN_LIST = ("workflow", "machine", "epoch", "rerun_of")
_AGENT_LIST = (
    "id",
    "uid",
    "state",
    "name",
    "version",
    "model",
    "description",
    "capabilities",
    "module",
    "category",
    "tags",
    "priority",
    "created_at",
)

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        TableSpec("journal", streams_new_images=True),
        TableSpec(
            "runtime",
            indexes=(
                Index("GSI1", _RUN_LIST + _APPROVAL_LIST + _WORKFLOW_RUN_LIST),
                Index("GSI2", _RUN_LIST + _WORKFLOW_RUN_LIST),
                Index("GSI3", _RUN_LIST + _WORKFLOW_RUN_LIST),
            ),
        ),
        TableSpec("registry", indexes=(Index("GSI1", _AGENT_LIST),)),
        TableSpec("identity"),
        TableSpec("limits"),
        TableSpec("triggers"),
    )
}
