"""Approvals in a dictionary, with the table's conditions."""

from __future__ import annotations

from stepward.adapters.memory.journal import MemoryJournal
from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.domain.approvals import Approval
from stepward.domain.conversation import ToolResult
from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import RunKey
from stepward.ports.approvals import ApprovalPage


class MemoryApprovals:
    """Keeps approvals; what depends on a run's head is done under the lock that ends runs."""

    def __init__(self, runtime: MemoryRuntimeState, journal: MemoryJournal) -> None:
        self._runtime = runtime
        self._journal = journal
        self._kept: dict[tuple[str, str], Approval] = {}
        self._woken: set[tuple[str, str]] = set()
        self._lock = runtime.line.lock

    def open(self, approval: Approval) -> Approval | None:
        """Write a new approval unless its run has ended."""
        with self._lock:
            before = self._kept.get(_name(approval))
            if before is None and not self._has_ended(approval.key):
                self._kept[_name(approval)] = approval
            return self._kept.get(_name(approval))

    def approval(self, tenant: str, approval: str) -> Approval | None:
        """Read one approval."""
        return self._kept.get((tenant, approval))

    def of_run(self, key: RunKey) -> list[Approval]:
        """Read the approvals of a run."""
        with self._lock:
            return [each for each in self._kept.values() if each.key == key]

    def open_ones(self) -> list[Approval]:
        """Read all open approvals of all tenants."""
        with self._lock:
            return [each for each in self._kept.values() if each.is_open]

    def list_approvals(self, tenant: str, *, is_open: bool, limit: int, cursor: str | None) -> ApprovalPage:
        """List approvals, newest first; the cursor is the last one that was shown."""
        with self._lock:
            mine = [one for one in self._kept.values() if one.tenant == tenant and one.is_open == is_open]
        found = sorted(mine, key=_place, reverse=True)
        if cursor is not None and cursor not in map(_place, self._kept.values()):
            raise InvalidRequest(
                "the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came"
            )
        left = [one for one in found if cursor is None or _place(one) < cursor]
        more = len(left) > limit
        return ApprovalPage(
            approvals=[_as_listed(one) for one in left[:limit]],
            cursor=_place(left[limit - 1]) if more else None,
        )

    def change(self, before: Approval, after: Approval) -> bool:
        """Write a reminder, an escalation or an end over the revision that was read."""
        with self._lock:
            if self._kept[_name(before)].revision != before.revision:
                return False
            self._kept[_name(after)] = after.model_copy(update={"revision": before.revision + 1})
            return True

    def decide(self, before: Approval, after: Approval, result: ToolResult) -> bool:
        """Write decision and result, or neither."""
        with self._lock:
            item = self._journal.call(before.key, result.call)
            if self._has_ended(before.key) or (item and item.result) or not self.change(before, after):
                return False
            return self._journal.put_result(before.key, result)

    def mark_woken(self, approval: Approval) -> None:
        """Mark a run as woken, so that its approval is no longer due."""
        self._woken.add(_name(approval))

    def due(self, before: str, limit: int) -> list[Approval]:
        """Read the approvals that are due."""
        with self._lock:
            found = [
                (one.next_due_at, one)
                for name, one in self._kept.items()
                if name not in self._woken and one.next_due_at and one.next_due_at < before
            ]
        return [one for _, one in sorted(found, key=lambda pair: str(pair[0]))[:limit]]

    def _has_ended(self, key: RunKey) -> bool:
        head = self._runtime.heads.get(key)
        return head is None or head.ended


def _name(approval: Approval) -> tuple[str, str]:
    return approval.tenant, approval.id


def _place(approval: Approval) -> str:
    return f"{approval.created_at}#{approval.id}"


def _as_listed(approval: Approval) -> Approval:
    asking = approval.asking.model_copy(update={"form": ()})
    decision = approval.decision and approval.decision.model_copy(update={"form": {}})
    return approval.model_copy(update={"details": None, "asking": asking, "decision": decision})
