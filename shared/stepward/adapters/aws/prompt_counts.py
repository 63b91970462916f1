"""Counts of runs by prompt in the runtime table: each run's end adds to one, in its own transaction.

T#t#PROMPT#p   ARM#<label>#<version>#<shard>   the sums of the runs that ended on the shard
"""

from __future__ import annotations

from dataclasses import dataclass

from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import every_item, from_item
from stepward.adapters.aws.run_lists import open_shard
from stepward.adapters.aws.transactions import Step, update
from stepward.domain.prompt_records import ArmCount, arms_in_sum
from stepward.domain.runs import RunKey

ARM_SHARDS = 4
"""A busy prompt would fill one partition's writes otherwise."""


@dataclass(frozen=True)
class DynamoPromptCounts:
    """Reads what runs came to, by prompt."""

    table: str

    def arms(self, tenant: str, prompt: str) -> list[ArmCount]:
        """Read the counts of a prompt, with the shards added up."""
        condition, values = (
            "pk = :pk AND begins_with(sk, :arms)",
            {":pk": _pk(tenant, prompt), ":arms": "ARM#"},
        )
        with translated(f"reading the counts of {prompt}"):
            items = [from_item(item) for item in every_item(self.table, condition, values)]
        return arms_in_sum(ArmCount.model_validate(item) for item in items)


def arm_step(table: str, key: RunKey, count: ArmCount) -> Step:
    """Lay out the addition of a run that ends, on the shard of the run.

    time →   one run's end: head ✓ ARM +1 ✓      the same once more: head ✗ (it has ended) → nothing is added
    """
    shard = open_shard(key.run) % ARM_SHARDS
    place = {
        "pk": _pk(key.tenant, count.prompt),
        "sk": f"ARM#{count.label}#{count.version}#{shard}",
    }
    named = {"prompt": count.prompt, "label": count.label, "version": count.version}
    sums = {name: number for name, number in count.sums.items() if number}
    sets = ", ".join(f"#{name} = :{name}" for name in named)
    adds = ", ".join(f"#{name} :{name}" for name in sums)
    values = {f":{name}": value for name, value in {**named, **sums}.items()}
    names = {f"#{name}": name for name in (*named, *sums)}
    return update("prompt", table, place, f"SET {sets} ADD {adds}", values, names=names)


def _pk(tenant: str, prompt: str) -> str:
    return f"T#{tenant}#PROMPT#{prompt}"
