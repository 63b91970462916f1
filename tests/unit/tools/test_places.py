"""Places take any name, and what fills them stays where it stands: a value makes no other path of a URL."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import ToolArgumentInvalid
from stepward.tools.places import fault_of_url, filled, filled_url, places_in, text_of

PETS = "https://pets.example"


@pytest.mark.parametrize("name", ["pet", "petId", "PET", "pet_id", "pet-id", "2nd", "_x", "user.id", "Id9"])
def test_a_place_has_any_name(name: str) -> None:
    url = f"{PETS}/{{{name}}}/toys"
    assert places_in(url) == {name}
    assert fault_of_url(url) is None
    assert filled_url(url, {name: "7"}) == f"{PETS}/7/toys"


@pytest.mark.parametrize(
    "braces", ["{}", "{pet id}", "{pet", "pet}", "{?page}", "{größe}", "{a{b}}", "{/x*}"]
)
def test_braces_that_are_no_place_are_told(braces: str) -> None:
    assert "name of a place" in (fault_of_url(f"{PETS}/{braces}") or "")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a/b", "a%2Fb"),
        ("x?y=1#z", "x%3Fy%3D1%23z"),
        ("ü %", "%C3%BC%20%25"),
        (7, "7"),
        (7.0, "7"),
        (0, "0"),
        (True, "true"),
        ("{x}", "%7Bx%7D"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
    ],
)
def test_values_are_encoded(value: Any, sent: str) -> None:
    assert filled_url(PETS + "/{pet}", {"pet": value}) == f"{PETS}/{sent}"
    assert filled_url(PETS + "/a?of={pet}&b=1", {"pet": value}) == f"{PETS}/a?of={sent}&b=1"


@pytest.mark.parametrize("value", ["", ".", "..", None, [], {"a": 1}])
def test_what_would_make_another_path_is_refused(value: Any) -> None:
    with pytest.raises(ToolArgumentInvalid, match="pet"):
        filled_url(PETS + "/{pet}/toys", {"pet": value})


def test_parts_of_a_path_are_looked_at_as_they_become() -> None:
    with pytest.raises(ToolArgumentInvalid):
        filled_url(PETS + "/{a}{b}", {"a": ".", "b": "."})
    with pytest.raises(ToolArgumentInvalid):
        filled_url(PETS + "/pets-{a}", {"a": ""})
    with pytest.raises(ToolArgumentInvalid, match="nothing"):
        filled_url(PETS + "/{a}", {})
    assert filled_url(PETS + "/pets-{a}?q={q}", {"a": "..", "q": ""}) == f"{PETS}/pets-..?q="


def test_a_template_keeps_the_type_of_a_place_alone() -> None:
    template = {
        "petId": "{petId}",
        "memo": "for {petId}",
        "gone": "{x}",
        "list": ["{petId}", "{x}", 1],
        "{petId}": 2,
    }
    assert places_in(template) == {"petId", "x"}
    assert filled(template, {"petId": 7}) == {"petId": 7, "memo": "for 7", "list": [7, 1], "{petId}": 2}


def test_numbers_are_spelt_as_people_write_them() -> None:
    assert [text_of(one) for one in (3.0, 3.5, 10**20, False, "x")] == ["3", "3.5", str(10**20), "false", "x"]
