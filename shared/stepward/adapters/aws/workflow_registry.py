"""Workflows' versions in the registry table; programs and machines' texts in the bucket.

T#t#WORKFLOW#w   V#semver   one version; `removed` is what is left of one that was taken away
T#t#WORKFLOWS    w          the workflow by its newest version, as lists show it
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import (
    ABSENT,
    PlainItem,
    Request,
    every_item,
    from_cursor,
    from_item,
    to_cursor,
    to_item,
)
from stepward.domain.errors import NotFound, StoreConflict
from stepward.domain.programs import Program
from stepward.ports.workflow_registry import (
    RegisteredWorkflow,
    VersionStatus,
    WorkflowPage,
    WorkflowSummary,
    changed_version,
    newest_first,
    removed_version,
    summary,
)


@dataclass(frozen=True)
class DynamoWorkflowRegistry:
    """Keeps versions in the registry table, and programs and machines' texts in the bucket."""

    table: str
    bucket: str

    def keep(
        self, tenant: str, kept: RegisteredWorkflow, program: Program, machine: str
    ) -> RegisteredWorkflow:
        """Write a version; what is large is written to the bucket first.

        time →   A: objects ✓ version ✓ list ✓            B, the same version: version ✗ → same content: A's; other: Conflict
                 A: objects ✓ version ✓ ─ ✗ dies           A again: version ✗ → the same; list ✓
        """
        definition = kept.definition
        where = _blob(tenant, definition.id, definition.version)
        self._put(f"{where}/program-{kept.machine}.json", program.model_dump_json(by_alias=True))
        self._put(f"{where}/machine-{kept.machine}.json", machine)
        self._put(f"{where}/document-{kept.machine}.json", definition.model_dump_json(by_alias=True))
        found = self._put_version(tenant, kept)
        self._list(tenant, definition.id)
        return found

    def version(self, tenant: str, workflow: str, version: str | None = None) -> RegisteredWorkflow | None:
        """Read one version."""
        if version is None:
            found = self._items(tenant, workflow)
            return self._whole(tenant, newest_first(found)[0]) if found else None
        key = to_item({"pk": _pk(tenant, workflow), "sk": f"V#{version}"})
        with translated(f"reading {workflow} {version}"):
            item = client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return self._whole(tenant, from_item(item)) if item and "removed" not in item else None

    def versions(self, tenant: str, workflow: str) -> list[RegisteredWorkflow]:
        """List all versions."""
        return [self._whole(tenant, item) for item in newest_first(self._items(tenant, workflow))]

    def program(self, tenant: str, workflow: str, version: str) -> Program:
        """Read a program."""
        return Program.model_validate_json(self._large(tenant, workflow, version, "program"))

    def machine_text(self, tenant: str, workflow: str, version: str) -> str:
        """Read a machine's definition."""
        return self._large(tenant, workflow, version, "machine").decode()

    def mark(
        self, tenant: str, workflow: str, version: str, status: VersionStatus, detail: str | None
    ) -> None:
        """Write a version's status."""
        with translated(f"marking {workflow} {version}"):
            client("dynamodb").update_item(
                TableName=self.table,
                Key=to_item({"pk": _pk(tenant, workflow), "sk": f"V#{version}"}),
                UpdateExpression="SET #s = :s, detail = :d",
                ConditionExpression="attribute_exists(pk) AND attribute_not_exists(removed)",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues=to_item({":s": status.value, ":d": detail or ""}),
            )
        self._list(tenant, workflow)

    def remove(self, tenant: str, workflow: str, version: str) -> None:
        """Mark a version as removed, so that its number cannot be used again.

        time →   remove: removed ✓      register: version ✗ → Conflict      remove again: removed ✓, or ✗ was never there
        """
        try:
            with translated(f"removing {workflow} {version}"):
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=to_item({"pk": _pk(tenant, workflow), "sk": f"V#{version}"}),
                    UpdateExpression="SET removed = :yes",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues=to_item({":yes": True}),
                )
        except StoreConflict:
            return
        self._list(tenant, workflow)

    def list_workflows(self, tenant: str, *, limit: int, cursor: str | None) -> WorkflowPage:
        """List workflows by id, with one query a page."""
        request: Request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": f"T#{tenant}#WORKFLOWS"}),
            "Limit": limit + 1,
        }
        if cursor:
            request["ExclusiveStartKey"] = to_item({"pk": f"T#{tenant}#WORKFLOWS", "sk": from_cursor(cursor)})
        with translated("listing workflows"):
            items = client("dynamodb").query(**request)["Items"]
        found = [WorkflowSummary.model_validate_json(from_item(item)["body"]) for item in items]
        more = len(found) > limit
        return WorkflowPage(workflows=found[:limit], cursor=to_cursor(found[limit - 1].id) if more else None)

    def _put_version(self, tenant: str, kept: RegisteredWorkflow) -> RegisteredWorkflow:
        definition = kept.definition
        item = {
            "pk": _pk(tenant, definition.id),
            "sk": f"V#{definition.version}",
            "workflow": definition.id,
            **kept.model_dump(mode="json", exclude={"definition"}, exclude_none=True),
        }
        try:
            with translated(f"keeping {definition.id} {definition.version}"):
                self._put_new(item)
        except _Taken as taken:
            if "removed" in taken.item:
                raise removed_version(kept) from taken
            if taken.item["machine"] != kept.machine:
                raise changed_version(kept) from taken
            return self._whole(tenant, taken.item)
        return kept

    def _put_new(self, item: Mapping[str, object]) -> None:
        try:
            client("dynamodb").put_item(
                TableName=self.table,
                Item=to_item(item),
                ConditionExpression=ABSENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != CONDITION_FAILED:
                raise
            raise _Taken(from_item(error.response["Item"])) from error

    def _list(self, tenant: str, workflow: str) -> None:
        """Update the workflow's entry in the list from its newest version, or remove it."""
        key = {"pk": f"T#{tenant}#WORKFLOWS", "sk": workflow}
        items = newest_first(self._items(tenant, workflow))
        with translated(f"listing {workflow}"):
            if not items:
                client("dynamodb").delete_item(TableName=self.table, Key=to_item(key))
                return
            shown = summary(self._whole(tenant, items[0])).model_dump_json()
            client("dynamodb").put_item(TableName=self.table, Item=to_item({**key, "body": shown}))

    def _items(self, tenant: str, workflow: str) -> list[PlainItem]:
        values = {":pk": _pk(tenant, workflow), ":v": "V#"}
        with translated(f"reading the versions of {workflow}"):
            items = every_item(self.table, "pk = :pk AND begins_with(sk, :v)", values)
            return [from_item(item) for item in items if "removed" not in item]

    def _whole(self, tenant: str, item: PlainItem) -> RegisteredWorkflow:
        version = item["sk"].removeprefix("V#")
        document = self._get(f"{_blob(tenant, item['workflow'], version)}/document-{item['machine']}.json")
        fields = {name: item[name] for name in RegisteredWorkflow.model_fields if name in item}
        return RegisteredWorkflow.model_validate({**fields, "definition": json.loads(document)})

    def _large(self, tenant: str, workflow: str, version: str, what: str) -> bytes:
        key = to_item({"pk": _pk(tenant, workflow), "sk": f"V#{version}"})
        with translated(f"reading {workflow} {version}"):
            item = client("dynamodb").get_item(TableName=self.table, Key=key).get("Item")
        if item is None:
            raise NotFound(f"there is no version {version} of workflow {workflow!r}.")
        digest = from_item(item)["machine"]
        return self._get(f"{_blob(tenant, workflow, version)}/{what}-{digest}.json")

    def _put(self, key: str, body: str) -> None:
        with translated(f"keeping {key}"):
            client("s3").put_object(
                Bucket=self.bucket, Key=key, Body=body.encode(), ContentType="application/json"
            )

    def _get(self, key: str) -> bytes:
        """Read an object that was written before its version.

        A failure is a fault of ours, not of the request for the version.
        """
        with translated(f"reading {key}"):
            found: bytes = client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found


class _Taken(Exception):
    """The version exists already; `item` is what it holds."""

    def __init__(self, item: PlainItem) -> None:
        super().__init__("taken")
        self.item = item


def _pk(tenant: str, workflow: str) -> str:
    return f"T#{tenant}#WORKFLOW#{workflow}"


def _blob(tenant: str, workflow: str, version: str) -> str:
    return f"blobs/{tenant}/workflows/{workflow}/{version}"
