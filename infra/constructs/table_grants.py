"""The words for the items of tables: which actions each means, on which indexes, and on which partitions only."""

from __future__ import annotations

from collections.abc import Mapping

from infra.constructs.permissions import Allow, Granted, Rule
from infra.names import Arns
from infra.tables import TABLES

_READ = ("dynamodb:GetItem", "dynamodb:Query")
# A transaction is authorised by the actions on its items; there is no action `TransactWriteItems`.
_WRITE = ("dynamodb:PutItem", "dynamodb:UpdateItem")

TABLE_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "journal:append": ("journal", ("dynamodb:PutItem", "dynamodb:UpdateItem")),
    "journal:read": ("journal", (*_READ, "dynamodb:BatchGetItem")),
    "runtime:read": ("runtime", _READ),
    "runtime:read-write": ("runtime", _READ + _WRITE + ("dynamodb:DeleteItem",)),
    "runtime:check": ("runtime", ("dynamodb:ConditionCheckItem",)),
    "registry:read": ("registry", (*_READ, "dynamodb:BatchGetItem")),
    "registry:read-write": ("registry", (*_READ, *_WRITE, "dynamodb:BatchGetItem", "dynamodb:DeleteItem")),
    "identity:read": ("identity", ("dynamodb:GetItem",)),
    "limits:read-write": ("limits", ("dynamodb:GetItem", *_WRITE)),
    "triggers:read": ("triggers", _READ),
    "triggers:record": ("triggers", ("dynamodb:UpdateItem",)),
    "triggers:define": ("triggers", (*_READ, "dynamodb:PutItem", "dynamodb:DeleteItem")),
}

Part = tuple[tuple[str, ...], tuple[str, ...], Mapping[str, Mapping[str, str | list[str]]]]
"""Actions on a table, the indexes that a query of it may use, and under what conditions."""


def _keys(operator: str, *partitions: str) -> Mapping[str, Mapping[str, str | list[str]]]:
    return {f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": list(partitions)}}


NARROW_WORDS: dict[str, tuple[str, tuple[Part, ...]]] = {
    # What anonymous functions do: they know the keys of what they read, list nothing and take nothing away.
    "runtime:get": ("runtime", ((("dynamodb:GetItem",), (), {}),)),
    "runtime:start": (
        "runtime",
        ((("dynamodb:GetItem", *_WRITE), (), {}), ((), ("GSI2",), {})),
    ),
    "registry:get": ("registry", ((("dynamodb:GetItem", "dynamodb:BatchGetItem"), (), {}),)),
    "registry:find": ("registry", (((*_READ, "dynamodb:BatchGetItem"), (), {}),)),
    "triggers:get": ("triggers", ((("dynamodb:GetItem",), (), {}),)),
    # Settings lie in the partition of their tenant or of the account; agents and workflows in others, which stay untouched.
    "registry:configure": (
        "registry",
        (
            (("dynamodb:GetItem", "dynamodb:BatchGetItem"), (), {}),
            (("dynamodb:PutItem",), (), _keys("StringNotLike", "T#*#*", "PLATFORM#*")),
        ),
    ),
    "registry:publish-tools": (
        "registry",
        ((("dynamodb:Query", "dynamodb:PutItem"), (), _keys("StringEquals", "PLATFORM#TOOLS")),),
    ),
    # Prompts lie in partitions of their own, beside agents and workflows.
    "registry:prompts": (
        "registry",
        (
            (
                ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"),
                (),
                _keys("StringLike", "T#*#PROMPT#*"),
            ),
            ((), ("GSI1",), {}),
        ),
    ),
    # What runs came to by prompt: counts beside the heads of runs, which stay unread.
    "runtime:prompts": ("runtime", ((("dynamodb:Query",), (), _keys("StringLike", "T#*#PROMPT#*")),)),
    # What providers' limits and breakers need: breakers of tools lie in the partitions of their tenants.
    "limits:providers": (
        "limits",
        ((("dynamodb:GetItem", "dynamodb:UpdateItem"), (), _keys("StringLike", "PROVIDER#*")),),
    ),
    # Replies that the response cache keeps lie in partitions of their tenants, beside the breakers of tools.
    "limits:responses": (
        "limits",
        ((("dynamodb:GetItem", "dynamodb:PutItem"), (), _keys("StringLike", "T#*#RESPONSE#*")),),
    ),
    "runtime:budget": (
        "runtime",
        (
            (_READ, ("GSI1", "GSI2", "GSI3"), {}),
            (("dynamodb:UpdateItem",), (), _keys("StringLike", "T#*#BUDGET")),
        ),
    ),
}


def table_words() -> dict[str, Rule]:
    """Collect the words for tables, each with its rule."""
    words: dict[str, Rule] = {word: _table_rule(*grant) for word, grant in TABLE_WORDS.items()}
    return words | {word: _narrow_rule(*grant) for word, grant in NARROW_WORDS.items()}


def _table_rule(table: str, actions: tuple[str, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        allows = [Allow(actions, (arns.table(table),))]
        indexes = tuple(arns.index(table, index.name) for index in TABLES[table].indexes)
        if indexes and "dynamodb:Query" in actions:
            allows.append(Allow(("dynamodb:Query",), indexes))
        return Granted(tuple(allows), {f"{table.upper()}_TABLE": arns.names.of(table)})

    return rule


def _narrow_rule(table: str, parts: tuple[Part, ...]) -> Rule:
    def rule(arns: Arns) -> Granted:
        allows = [Allow(actions, (arns.table(table),), when) for actions, _, when in parts if actions]
        indexes = tuple(arns.index(table, name) for _, names, _ in parts for name in names)
        if indexes:
            allows.append(Allow(("dynamodb:Query",), indexes))
        return Granted(tuple(allows), {f"{table.upper()}_TABLE": arns.names.of(table)})

    return rule
