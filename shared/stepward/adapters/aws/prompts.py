"""Prompts in DynamoDB: `V#…` items never change, labels carry copies of the versions that they point to.

T#t#PROMPT#p   PROMPT       the prompt by its newest version; index GSI1 lists it
               V#1.0.0      a version, never changed; index GSI1 lists it by its number
               LABEL#prod   a label with copies of its versions, so that a start reads them at once
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import (
    CONDITION_FAILED,
    TRANSACTION_CANCELED,
    cancel_reasons,
    error_code,
    translated,
)
from stepward.adapters.aws.items import (
    ABSENT,
    bad_cursor,
    every_item,
    from_cursor,
    from_item,
    to_cursor,
    to_item,
)
from stepward.domain.errors import Bug, StoreConflict
from stepward.domain.prompt_records import (
    PromptLabel,
    PromptPage,
    PromptSummary,
    RegisteredPrompt,
    changed_version,
    latest_label,
    summary,
    version_order,
)
from stepward.domain.prompts import PromptDefinition
from stepward.ports.prompts import FoundPrompt, LabelledPrompt

RECORD: Final = "PROMPT"
_NEWER: Final = "attribute_not_exists(pk) OR #order < :order"
_FAILED: Final = "ConditionalCheckFailed"


def prompt_pk(tenant: str, prompt: str) -> str:
    """The partition of a prompt."""
    return f"T#{tenant}#PROMPT#{prompt}"


def prompt_sk(version: str) -> str:
    """The place of a version, which begins with a digit, or of a label, which does not."""
    return f"V#{version}" if version[0].isdigit() else f"LABEL#{version}"


@dataclass(frozen=True)
class DynamoPromptRegistry:
    """The registry table's part for prompts."""

    table: str

    def find_prompt(self, tenant: str, prompt: str, version: str) -> FoundPrompt | None:
        """Read one version by its number, or all that a label points to, in one read."""
        key = {"pk": prompt_pk(tenant, prompt), "sk": prompt_sk(version)}
        with translated(f"reading prompt {prompt}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=to_item(key), ConsistentRead=True)
        if "Item" not in found:
            return None
        item = from_item(found["Item"])
        if "label" not in item:
            return FoundPrompt((RegisteredPrompt.model_validate_json(item["body"]),))
        copies = tuple(RegisteredPrompt.model_validate_json(body) for body in item["bodies"])
        return FoundPrompt(copies, PromptLabel.model_validate_json(item["label"]))

    def keep_prompt(self, tenant: str, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Keep a version once, and point `latest` to it if it is the newest.

        time →   1.1.0: put V#1.1.0 ✓ PROMPT ✓ latest ✓
                 1.0.1: put V#1.0.1   PROMPT ✗ (1.1.0 is newer) → put V#1.0.1 alone ✓
                 1.1.0 once more: put V#1.1.0 ✗ (it is there) → the same registration, or `Conflict`
        """
        version = self._put(_version_item(tenant, prompt), ABSENT)
        order = {":order": version_order(prompt.definition.version)}
        latest = LabelledPrompt(latest_label(prompt), (prompt,))
        newest = [_record_item(tenant, prompt), _label_item(tenant, latest)]
        reasons = self._transact([version, *(self._put(item, _NEWER, order) for item in newest)])
        if reasons is not None and reasons[0] != _FAILED:
            reasons = self._transact([version])
        return prompt if reasons is None else self._same_or_conflict(tenant, prompt)

    def list_prompts(self, tenant: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List prompts by id, each in its newest version."""
        return self._page(f"T#{tenant}#PROMPTS", limit, cursor, forward=True)

    def list_versions(self, tenant: str, prompt: str, *, limit: int, cursor: str | None) -> PromptPage:
        """List a prompt's versions, the newest first."""
        return self._page(f"{prompt_pk(tenant, prompt)}#VERSIONS", limit, cursor, forward=False)

    def prompt_labels(self, tenant: str, prompt: str) -> list[PromptLabel]:
        """List a prompt's labels by name."""
        condition, values = "pk = :pk AND begins_with(sk, :labels)", {":pk": prompt_pk(tenant, prompt)}
        with translated(f"listing the labels of {prompt}"):
            found = [*every_item(self.table, condition, {**values, ":labels": "LABEL#"})]
        return [PromptLabel.model_validate_json(from_item(item)["label"]) for item in found]

    def set_prompt_label(self, tenant: str, prompt: str, label: LabelledPrompt) -> None:
        """Write a label over the revision before its own.

        time →   A reads rev 3    A writes rev 4 ✓
                 B reads rev 3                      B writes rev 4 ✗ (4 is there) → B reads again
        """
        name, read = label.label.label, label.label.rev - 1
        condition, values = ("rev = :read", {":read": read}) if read else (ABSENT, None)
        if self._transact([self._put(_label_item(tenant, label), condition, values)]) is not None:
            raise StoreConflict(f"label {name} of {prompt} has changed since it was read")

    def remove_prompt_label(self, tenant: str, prompt: str, label: str) -> bool:
        """Take a label away."""
        key = to_item({"pk": prompt_pk(tenant, prompt), "sk": prompt_sk(label)})
        with translated(f"removing label {label}"):
            gone = client("dynamodb").delete_item(TableName=self.table, Key=key, ReturnValues="ALL_OLD")
        return "Attributes" in gone

    def _page(self, partition: str, limit: int, cursor: str | None, *, forward: bool) -> PromptPage:
        after, condition = {}, "gsi1pk = :pk"
        if cursor is not None:
            after = {":after": _place_of(cursor)}
            condition += f" AND gsi1sk {'>' if forward else '<'} :after"
        with translated("listing prompts"):
            found = client("dynamodb").query(
                TableName=self.table,
                IndexName="GSI1",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=to_item({":pk": partition, **after}),
                ScanIndexForward=forward,
                Limit=limit + 1,
            )
        items = [from_item(item) for item in found["Items"]]
        more = to_cursor(items[limit - 1]["gsi1sk"]) if len(items) > limit else None
        return PromptPage(prompts=[PromptSummary.model_validate(item) for item in items[:limit]], cursor=more)

    def _put(
        self, item: dict[str, Any], condition: str, values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        put = {"TableName": self.table, "Item": to_item(item), "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = to_item(values)
        if "#order" in condition:
            put["ExpressionAttributeNames"] = {"#order": "order"}
        return {"Put": put}

    def _transact(self, parts: list[dict[str, Any]]) -> list[str] | None:
        """Write all or nothing; None when it was written, else the reasons, one a part."""
        with translated("writing a prompt"):
            try:
                if len(parts) == 1:
                    client("dynamodb").put_item(**parts[0]["Put"])
                else:
                    client("dynamodb").transact_write_items(TransactItems=parts)
            except ClientError as error:
                reasons = cancel_reasons(error) if error_code(error) == TRANSACTION_CANCELED else []
                if error_code(error) == CONDITION_FAILED:
                    reasons = [_FAILED]
                if _FAILED not in reasons:
                    raise
                return reasons
        return None

    def _same_or_conflict(self, tenant: str, prompt: RegisteredPrompt) -> RegisteredPrompt:
        definition: PromptDefinition = prompt.definition
        found = self.find_prompt(tenant, definition.id, definition.version)
        if found is None:
            raise Bug(f"version {definition.version} of {definition.id} was there and is not")
        if found.versions[0].definition != definition:
            raise changed_version(definition)
        return found.versions[0]


def _version_item(tenant: str, prompt: RegisteredPrompt) -> dict[str, Any]:
    key = {"pk": prompt_pk(tenant, prompt.definition.id), "sk": prompt_sk(prompt.definition.version)}
    place = version_order(prompt.definition.version)
    listed = {"gsi1pk": f"{key['pk']}#VERSIONS", "gsi1sk": place}
    return {**key, "v": 1, **listed, **summary(prompt).model_dump(), "body": _body(prompt)}


def _record_item(tenant: str, prompt: RegisteredPrompt) -> dict[str, Any]:
    key = {"pk": prompt_pk(tenant, prompt.definition.id), "sk": RECORD}
    listed = {"gsi1pk": f"T#{tenant}#PROMPTS", "gsi1sk": prompt.definition.id}
    return {
        **key,
        "v": 1,
        **listed,
        **summary(prompt).model_dump(),
        "order": version_order(prompt.definition.version),
    }


def _label_item(tenant: str, found: LabelledPrompt) -> dict[str, Any]:
    """A label's item: the pointers, and a copy of each version that it points to."""
    first, label = found.versions[0].definition, found.label
    return {
        "pk": prompt_pk(tenant, first.id),
        "sk": prompt_sk(label.label),
        "v": 1,
        "rev": label.rev,
        "order": version_order(first.version),
        "label": label.model_dump_json(),
        "bodies": [_body(one) for one in found.versions],
    }


def _body(prompt: RegisteredPrompt) -> str:
    return prompt.model_dump_json(exclude_defaults=True)


def _place_of(cursor: str) -> str:
    place = from_cursor(cursor)
    if not place or len(place) > 80:
        raise bad_cursor()
    return place
