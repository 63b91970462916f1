"""Units follow the published rule, and calls are put down to the room that made them."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local import capacity
from infra.local.capacity import Index
from infra.local.laptop import Laptop


def item(size_bytes: int, **more: Any) -> dict[str, Any]:
    """An item of exactly so many bytes with its key of six bytes, before what is added."""
    return {"pk": {"S": "p"}, "sk": {"S": "s"}, "v": {"S": "x" * (size_bytes - 7)}, **more}


def test_items_are_measured_by_names_and_values() -> None:
    assert capacity.item_bytes(item(100)) == 100
    assert capacity.item_bytes({"n": {"N": "-12.50"}}) == 1 + 4
    assert capacity.item_bytes({"b": {"B": b"1234"}}) == 1 + 4
    assert capacity.item_bytes({"l": {"L": [{"BOOL": True}, {"NULL": True}]}}) == 1 + 3 + 2 + 2
    assert capacity.item_bytes({"m": {"M": {"ab": {"S": "é"}}}}) == 1 + 3 + 1 + 2 + 2
    assert capacity.item_bytes(None) == 0


@pytest.mark.parametrize(
    ("old", "new", "units"), [(None, 100, 1), (None, 1024, 1), (None, 1025, 2), (3000, 10, 3), (500, 2049, 3)]
)
def test_a_write_costs_by_the_larger_of_old_and_new(old: int | None, new: int, units: int) -> None:
    assert capacity.write_units(item(old) if old else None, item(new)) == units


@pytest.mark.parametrize(
    ("sizes", "consistent", "transactional", "units"),
    [
        ([100], True, False, 1),
        ([100], False, False, 0.5),
        ([4097], True, False, 2),
        ([100], True, True, 2),
        ([1000] * 5, True, False, 2),
        ([], False, False, 0.5),
    ],
)
def test_reads_round_up_to_4_kb(
    sizes: list[int], consistent: bool, transactional: bool, units: float
) -> None:
    assert capacity.read_units(sizes, consistent=consistent, transactional=transactional) == units


def test_an_index_costs_only_what_changes_in_it() -> None:
    index = Index(("g",), "INCLUDE", frozenset({"shown"}))
    keys = frozenset({"pk", "sk"})

    def units(old: dict[str, Any] | None, new: dict[str, Any] | None) -> float:
        return capacity.index_write_units(index, old, new, keys)

    first = item(3000, g={"S": "a"}, shown={"S": "1"})
    assert units(None, item(3000)) == 0
    assert units(None, first) == 1
    assert units(first, first | {"v": {"S": "hidden"}}) == 0
    assert units(first, first | {"shown": {"S": "2"}}) == 1
    assert units(first, first | {"g": {"S": "b"}}) == 2
    assert units(first, None) == 1


def test_calls_are_put_down_to_their_room(laptop: Laptop) -> None:
    before = laptop.meter.reading()
    laptop.client("lambda").invoke(FunctionName="small-count", Payload=b'{"puts": 3}')
    laptop.client("dynamodb").get_item(TableName="small-items", Key={"pk": {"S": "p"}, "sk": {"S": "0"}})
    used = laptop.meter.reading().since(before)
    assert used.dynamodb_calls == {
        ("count", "PutItem", "small-items"): 3,
        ("count", "Query", "small-items"): 1,
    }
    assert used.calls_by_operation() == {"PutItem": 3, "Query": 1}
    assert used.write_units == {("count", "small-items"): 6.0}
    assert used.read_units == {("count", "small-items"): 2.0}
    assert used.lambda_invocations == {"count": 1}
