"""Places take any name, and what fills them stays where it stands: a value makes no other path of a URL."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import ToolArgumentInvalid
from stepward.tools.templates import fault_of_path, fault_of_url, filled, filled_url, text_of, variables_in

PETS = "https://pets.example"


@pytest.mark.parametrize("name", ["pet", "petId", "PET", "pet_id", "pet-id", "2nd", "_x", "user.id", "Id9"])
def test_a_place_has_any_name(name: str) -> None:
    url = f"{PETS}/{{{name}}}/toys"
    assert variables_in(url) == {name}
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
        ("100%", "100%25"),
        ("...", "..."),
        ("v1..v2", "v1..v2"),
        (".hidden", ".hidden"),
        ("a.b/c.d", "a.b%2Fc.d"),
    ],
)
def test_values_are_encoded(value: Any, sent: str) -> None:
    assert filled_url(PETS + "/{pet}", {"pet": value}) == f"{PETS}/{sent}"
    assert filled_url(PETS + "/a?of={pet}&b=1", {"pet": value}) == f"{PETS}/a?of={sent}&b=1"


OTHER_PATHS = [
    "", " ", "\t", "\u200b", "\x00", ".", "..", ". ", " ..", "..\x00", ".\u200b.", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%25252e.",
    "../x", "x/..", "x/../y", "./x", "x/.", "..\\x", "x\\..", "..%2fx", "%2e%2e%2fx", "..%5cx", "x/%2e%2e/y", "..;", "..;a=b/x",
    "\uff0e\uff0e", "\u2024\u2024", "\u2025", "..\uff0fx", "\ufe52.", None, [], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", OTHER_PATHS)
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
    assert variables_in(template) == {"petId", "x"}
    assert filled(template, {"petId": 7}) == {"petId": 7, "memo": "for 7", "list": [7, 1], "{petId}": 2}


def test_numbers_are_spelt_as_people_write_them() -> None:
    assert [text_of(one) for one in (3.0, 3.5, 10**20, False, "x")] == ["3", "3.5", str(10**20), "false", "x"]


@pytest.mark.parametrize("path", ["", "/", "/a", "/a/", "/a/b.c?x=/../", "/a..b", "/%20a"])
def test_a_whole_address_may_have_these_paths(path: str) -> None:
    assert fault_of_path(PETS + path) is None


@pytest.mark.parametrize(
    "path", ["/a//b", "/a/../b", "/..", "/a/./b", "/a/%2e%2e/b", "/a/..%2fb", "/a/..;/b", "/a/%20/b"]
)
def test_a_whole_address_leads_nowhere_else(path: str) -> None:
    assert "cannot stand in a path" in (fault_of_path(PETS + path) or "")
