"""The book of costs in the runtime table: each run's end adds its numbers to a line, in its own transaction."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import Action, from_item, to_item
from stepward.adapters.aws.run_lists import open_shard
from stepward.adapters.aws.transactions import Step
from stepward.domain.costs import COST_SHARDS, CostLine, added_up
from stepward.domain.runs import RunKey


@dataclass(frozen=True)
class DynamoCostBook:
    """Reads booked costs of all tenants."""

    table: str

    def lines(self, tenant: str, first_day: str, last_day: str) -> list[CostLine]:
        """Read the lines of a range of days, with the shards of each line added up."""
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": to_item(
                {":pk": _pk(tenant), ":first": first_day, ":last": f"{last_day}#\uffff"}
            ),
        }
        found: list[CostLine] = []
        with translated("reading costs"):
            for page in client("dynamodb").get_paginator("query").paginate(**request):
                found += [CostLine.model_validate(from_item(item)) for item in page["Items"]]
        return added_up(found)


def cost_step(table: str, key: RunKey, line: CostLine) -> Step:
    """Lay out the booking of a line when a run ends, on the shard of the run."""
    return Step("cost", add_item(table, key.tenant, line, open_shard(key.run) % COST_SHARDS))


def add_item(table: str, tenant: str, line: CostLine, shard: int) -> Action:
    """Lay out the addition of a line's numbers, as one item of a transaction.

    Shards keep a busy line from filling one partition.
    """
    named = {"day": line.day, "agent": line.agent, "model": line.model}
    if line.workflow:
        named["workflow"] = line.workflow
    sums = {name: number for name, number in line.sums.items() if number}
    added = f" ADD {', '.join(f'#{name} :{name}' for name in sums)}" if sums else ""
    return {
        "Update": {
            "TableName": table,
            "Key": to_item({"pk": _pk(tenant), "sk": f"{line.day}#{_payer(line)}#{shard}"}),
            "UpdateExpression": f"SET {', '.join(f'#{name} = :{name}' for name in named)}{added}",
            "ExpressionAttributeNames": {f"#{name}": name for name in (*named, *sums)},
            "ExpressionAttributeValues": to_item({f":{n}": value for n, value in {**named, **sums}.items()}),
        }
    }


def _payer(line: CostLine) -> str:
    """Return the part of the key that names the payer; no agent's name begins with `~`."""
    return f"~{line.workflow}" if line.workflow else f"{line.agent}#{line.model}"


def _pk(tenant: str) -> str:
    return f"T#{tenant}#COST"
