"""What every registry of prompts promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepward.domain.errors import Conflict, InvalidRequest, StoreConflict
from stepward.domain.prompt_records import PromptLabel, RegisteredPrompt
from stepward.domain.prompts import MOST_ARMS, MOST_TEMPLATE_BYTES, PromptArm
from stepward.ports.prompts import LabelledPrompt
from tests.support.builders import AT
from tests.support.prompts import a_prompt


def a_registered(**changed: Any) -> RegisteredPrompt:
    return RegisteredPrompt(definition=a_prompt(**changed), created_at=AT, created_by="ann")


def keep(ports: Any, **changed: Any) -> RegisteredPrompt:
    kept: RegisteredPrompt = ports.prompts.keep_prompt("acme", a_registered(**changed))
    return kept


def a_label(*versions: RegisteredPrompt, name: str = "prod", rev: int = 1) -> LabelledPrompt:
    arms = tuple(PromptArm(version=one.definition.version) for one in versions)
    return LabelledPrompt(PromptLabel(label=name, arms=arms, set_at=AT, set_by="ann", rev=rev), versions)


def test_a_version_comes_back_as_registered(ports: Any) -> None:
    kept = keep(ports)
    for version in ("1.0.0", "latest"):
        assert ports.prompts.find_prompt("acme", "support", version).versions == (kept,)
    assert ports.prompts.find_prompt("acme", "support", "latest").label.label == "latest"
    assert ports.prompts.find_prompt("acme", "support", "1.0.0").label is None


@pytest.mark.parametrize(
    ("tenant", "prompt", "version"),
    [
        ("other", "support", "1.0.0"),
        ("acme", "other", "1.0.0"),
        ("acme", "support", "9.9.9"),
        ("acme", "support", "prod"),
    ],
)
def test_what_is_not_there_is_none(ports: Any, tenant: str, prompt: str, version: str) -> None:
    keep(ports)
    assert ports.prompts.find_prompt(tenant, prompt, version) is None


def test_the_same_content_again_is_the_same_registration(ports: Any) -> None:
    first = keep(ports)
    later = a_registered().model_copy(update={"created_at": "later", "created_by": "bob"})
    assert ports.prompts.keep_prompt("acme", later) == first


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_a_version_never_changes(ports: Any, version: str) -> None:
    keep(ports, version="2.0.0")
    keep(ports)
    with pytest.raises(Conflict) as refused:
        keep(ports, version=version, template="Otherwise.")
    assert refused.value.field == "version"
    assert ports.prompts.find_prompt("acme", "support", version).versions[0] == a_registered(version=version)


def test_latest_is_the_highest_version_whatever_the_order(ports: Any) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        keep(ports, version=version)
    assert ports.prompts.find_prompt("acme", "support", "latest").versions[0].definition.version == "1.10.0"
    assert [one.version for one in ports.prompts.list_prompts("acme", limit=9, cursor=None).prompts] == [
        "1.10.0"
    ]


def test_many_registered_at_once_leave_the_highest_as_latest(ports: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: _kept(ports, f"1.{n}.0"), range(12)))
    assert len(kept) == 12
    assert ports.prompts.find_prompt("acme", "support", "latest").versions[0].definition.version == "1.11.0"


def _kept(ports: Any, version: str) -> RegisteredPrompt:
    while True:
        try:
            return keep(ports, version=version)
        except StoreConflict:
            continue


def test_lists_go_page_by_page(ports: Any) -> None:
    for name in ("cc", "aa", "bb"):
        keep(ports, id=name)
    first = ports.prompts.list_prompts("acme", limit=2, cursor=None)
    assert [one.id for one in first.prompts] == ["aa", "bb"]
    rest = ports.prompts.list_prompts("acme", limit=2, cursor=first.cursor)
    assert [one.id for one in rest.prompts] == ["cc"]
    assert rest.cursor is None
    assert ports.prompts.list_prompts("other", limit=2, cursor=None).prompts == []


def test_versions_go_page_by_page_the_newest_first(ports: Any) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        keep(ports, version=version, description=f"of {version}")
    first = ports.prompts.list_versions("acme", "support", limit=2, cursor=None)
    assert [one.version for one in first.prompts] == ["1.10.0", "1.9.0"]
    rest = ports.prompts.list_versions("acme", "support", limit=2, cursor=first.cursor)
    assert [(one.version, one.description) for one in rest.prompts] == [("1.2.0", "of 1.2.0")]
    assert rest.cursor is None
    assert ports.prompts.list_versions("acme", "other", limit=2, cursor=None).prompts == []


def test_a_label_brings_each_version_that_it_points_to(ports: Any) -> None:
    old, new = keep(ports), keep(ports, version="1.1.0", template="New.")
    label = a_label(old, new)
    ports.prompts.set_prompt_label("acme", "support", label)
    found = ports.prompts.find_prompt("acme", "support", "prod")
    assert (found.label, found.versions) == (label.label, (old, new))
    assert [one.label for one in ports.prompts.prompt_labels("acme", "support")] == ["latest", "prod"]
    assert ports.prompts.prompt_labels("acme", "other") == []


def test_the_largest_prompts_fit_one_label(ports: Any) -> None:
    text = "x" * MOST_TEMPLATE_BYTES
    kept = [keep(ports, version=f"1.{n}.0", template=text) for n in range(MOST_ARMS)]
    ports.prompts.set_prompt_label("acme", "support", a_label(*kept))
    assert len(ports.prompts.find_prompt("acme", "support", "prod").versions) == MOST_ARMS


def test_a_label_is_written_over_the_revision_before_its_own(ports: Any) -> None:
    kept = keep(ports)
    ports.prompts.set_prompt_label("acme", "support", a_label(kept))
    for rev in (1, 3):
        with pytest.raises(StoreConflict):
            ports.prompts.set_prompt_label("acme", "support", a_label(kept, rev=rev))
    ports.prompts.set_prompt_label("acme", "support", a_label(kept, rev=2))
    assert ports.prompts.find_prompt("acme", "support", "prod").label.rev == 2


def test_a_label_that_is_taken_away_is_gone(ports: Any) -> None:
    ports.prompts.set_prompt_label("acme", "support", a_label(keep(ports)))
    assert ports.prompts.remove_prompt_label("acme", "support", "prod")
    assert not ports.prompts.remove_prompt_label("acme", "support", "prod")
    assert ports.prompts.find_prompt("acme", "support", "prod") is None


@pytest.mark.parametrize("ports", ["aws"], indirect=True)
@pytest.mark.parametrize("cursor", ["", "!!", "AAAA", "eA" * 400])
def test_a_cursor_that_nobody_wrote_is_refused(ports: Any, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ports.prompts.list_prompts("acme", limit=2, cursor=cursor)
    assert refused.value.field == "cursor"
