"""Approvals in the runtime table, beside the heads of the runs that wait for them.

T#t#APPROVAL   <run>.<call>   `asked` and `said` are shown in lists; `details`, `form` and `filled` are not
GSI1           T#t#APPROVALS#OPEN | DONE, by the time of asking
GSI3           APPROVALS#DUE, by the time of the next reminder, escalation or end; sparse
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import (
    Item,
    Request,
    bad_cursor,
    from_cursor,
    from_item,
    run_pk,
    to_cursor,
    to_item,
)
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.transactions import Step, put_new, transact, update
from stepward.domain.approvals import Approval
from stepward.domain.conversation import ToolResult
from stepward.domain.runs import RunKey
from stepward.ports.approvals import ApprovalPage

DUE: Final = "APPROVALS#DUE"
APPROVAL: Final = "approval"
_PLACE: Final = re.compile(r"\d{4}-[\d-]{5}T[\d:.]{12}Z#run_\w{26}\.[\w-]{1,128}", re.ASCII)
_FIXED: Final = {"call", "tool", "agent", "requester", "question", "is_guard", "task", "due_at"}
_CHANGING: Final = {"requested_at", "reminded_at", "escalated_at", "closed_at"}


@dataclass(frozen=True)
class DynamoApprovals:
    """Keeps approvals; a decision's result is written to the journal in the same transaction."""

    table: str
    journal: DynamoJournal

    def open(self, approval: Approval) -> Approval | None:
        """Write a new approval while its run has not ended.

        time →   dispatch: head is open ✓ put ✓        settle: head closed ─ reads approvals: finds it, closes it
                 settle:   head closed                 dispatch: head is open ✗ → nothing is asked
        """
        steps = [put_new(APPROVAL, self.table, _item(approval)), self._run_goes_on(approval.key)]
        refused = transact(steps, f"asking for {approval.id}")
        if refused is None:
            return approval
        return self.approval(approval.tenant, approval.id)

    def approval(self, tenant: str, approval: str) -> Approval | None:
        """Read one approval."""
        with translated(f"reading approval {approval}"):
            found = client("dynamodb").get_item(
                TableName=self.table, Key=to_item(_key(tenant, approval)), ConsistentRead=True
            )
        return _read(found["Item"]) if "Item" in found else None

    def of_run(self, key: RunKey) -> list[Approval]:
        """Read the approvals of a run: twelve at most a turn."""
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :run)",
            "ExpressionAttributeValues": to_item({":pk": _pk(key.tenant), ":run": f"{key.run}."}),
            "ConsistentRead": True,
        }
        with translated(f"reading the approvals of {key.run}"):
            pages = client("dynamodb").get_paginator("query").paginate(**request)
            return [_read(item) for page in pages for item in page["Items"]]

    def list_approvals(self, tenant: str, *, is_open: bool, limit: int, cursor: str | None) -> ApprovalPage:
        """List approvals, newest first, with one query a page."""
        pk = _list_pk(tenant, is_open=is_open)
        after = {}
        if cursor is not None:
            place = _place_of(cursor)
            key = {**_key(tenant, place.partition("#")[2]), "gsi1pk": pk, "gsi1sk": place}
            after = {"ExclusiveStartKey": to_item(key)}
        with translated("listing approvals"):
            found = client("dynamodb").query(
                TableName=self.table,
                IndexName="GSI1",
                KeyConditionExpression="gsi1pk = :pk",
                ExpressionAttributeValues=to_item({":pk": pk}),
                ScanIndexForward=False,
                Limit=limit + 1,
                **after,
            )
        approvals = [_read(item) for item in found["Items"]]
        shown = approvals[:limit]
        return ApprovalPage(
            approvals=shown, cursor=to_cursor(_place(shown[-1])) if len(approvals) > limit else None
        )

    def change(self, before: Approval, after: Approval) -> bool:
        """Write a reminder, an escalation or an end over the revision that was read.

        time →   janitor A: revision 1 → 2 ✓        janitor B, or a decider: revision 1 ✗ → reads again
        """
        return transact([self._changed(before, after)], f"changing approval {after.id}") is None

    def decide(self, before: Approval, after: Approval, result: ToolResult) -> bool:
        """Write a decision if the run can still take it.

        time →   ann: result ✓ approval ✓        bob: result ✗ → reads the first decision
                 advance, after the time: result ✓        ann: result ✗ → it is too late
                 cancel: head closed                      ann: head ✗ → the run has ended
        """
        steps = [
            Step("result", {"Update": self.journal.first_result(before.key, result)}),
            self._changed(before, after),
            self._run_goes_on(before.key),
        ]
        return transact(steps, f"deciding {after.id}") is None

    def mark_woken(self, approval: Approval) -> None:
        """Take an approval out of the index of those that are due."""
        with translated(f"finishing approval {approval.id}"):
            client("dynamodb").update_item(
                TableName=self.table,
                Key=to_item(_key(approval.tenant, approval.id)),
                UpdateExpression="REMOVE gsi3pk, gsi3sk",
            )

    def due(self, before: str, limit: int) -> list[Approval]:
        """Read the sparse index, then each approval itself."""
        with translated("listing approvals that are due"):
            found = client("dynamodb").query(
                TableName=self.table,
                IndexName="GSI3",
                KeyConditionExpression="gsi3pk = :pk AND gsi3sk < :before",
                ExpressionAttributeValues=to_item({":pk": DUE, ":before": before}),
                Limit=limit,
            )
        keys = [from_item(item) for item in found["Items"]]
        named = [(str(key["pk"]).split("#")[1], str(key["sk"])) for key in keys]
        return [kept for tenant, name in named if (kept := self.approval(tenant, name))]

    def _run_goes_on(self, key: RunKey) -> Step:
        check: Request = {
            "TableName": self.table,
            "Key": to_item({"pk": run_pk(key), "sk": "HEAD"}),
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(ended_at)",
        }
        return Step("head", {"ConditionCheck": check})

    def _changed(self, before: Approval, after: Approval) -> Step:
        """Lay out the write of the fields that may change, over the revision that was read."""
        item = from_item(_item(after))
        values = {name: item[name] for name in ("said", "filled", "status", "gsi1pk", *_due_names(after))}
        said = ", ".join(f"#{name} = :{name}" for name in values) + ", revision = :next"
        removed = "" if after.next_due_at else " REMOVE gsi3pk, gsi3sk"
        return update(
            APPROVAL,
            self.table,
            _key(after.tenant, after.id),
            f"SET {said}{removed}",
            {f":{name}": value for name, value in values.items()}
            | {":seen": before.revision, ":next": before.revision + 1},
            "revision = :seen",
            {f"#{name}": name for name in values},
        )


def _item(approval: Approval) -> Item:
    asked = approval.model_dump(mode="json", include=_FIXED, exclude_none=True)
    asked["asking"] = approval.asking.model_dump(mode="json", exclude={"form"}, exclude_defaults=True)
    said = approval.model_dump(
        mode="json", include={**dict.fromkeys(_CHANGING, True), "decision": {"decision", "by", "at", "comment"}},
        exclude_none=True,
    )  # fmt: skip
    due = {"gsi3pk": DUE, "gsi3sk": f"{approval.next_due_at}#{_place(approval)}"}
    return to_item(
        {
            **_key(approval.tenant, approval.id),
            "v": 1,
            "run": approval.run,
            "tenant": approval.tenant,
            "created_at": approval.created_at,
            "status": approval.status.value,
            "asked": json.dumps(asked),
            "said": json.dumps(said),
            "details": json.dumps(approval.details),
            "form": json.dumps([field.model_dump(mode="json") for field in approval.asking.form]),
            "filled": json.dumps(approval.decision.form if approval.decision else {}),
            "revision": approval.revision,
            "gsi1pk": _list_pk(approval.tenant, is_open=approval.is_open),
            "gsi1sk": _place(approval),
            **(due if approval.next_due_at else {}),
        }
    )


def _due_names(approval: Approval) -> tuple[str, ...]:
    return ("gsi3pk", "gsi3sk") if approval.next_due_at else ()


def _read(item: Item) -> Approval:
    plain = from_item(item)
    asked, said = json.loads(plain["asked"]), json.loads(plain["said"])
    asking = {**asked.pop("asking"), "form": json.loads(plain.get("form", "[]"))}
    if "decision" in said:
        said["decision"]["form"] = json.loads(plain.get("filled", "{}"))
    return Approval.model_validate(
        {
            **asked,
            **said,
            "asking": asking,
            "id": plain["sk"],
            "run": plain["run"],
            "tenant": plain["tenant"],
            "created_at": plain["created_at"],
            "status": plain["status"],
            "details": json.loads(plain.get("details", "null")),
            "revision": plain.get("revision", 0),
        }
    )


def _place(approval: Approval) -> str:
    return f"{approval.created_at}#{approval.id}"


def _place_of(cursor: str) -> str:
    place = from_cursor(cursor)
    if not _PLACE.fullmatch(place):
        raise bad_cursor()
    return place


def _list_pk(tenant: str, *, is_open: bool) -> str:
    return f"T#{tenant}#APPROVALS#{'OPEN' if is_open else 'DONE'}"


def _pk(tenant: str) -> str:
    return f"T#{tenant}#APPROVAL"


def _key(tenant: str, approval: str) -> dict[str, str]:
    return {"pk": _pk(tenant), "sk": approval}
