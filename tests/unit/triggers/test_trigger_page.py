"""The trigger of the page about them can be made, and does what the page says of it."""

from __future__ import annotations

import re

import yaml

from stepward.domain.triggers import HOW_TO_FIRE, Trigger, TriggerKind
from stepward.triggers.fire import start_body
from stepward.triggers.templates import check_template
from tests.support.docs_pages import page


def test_the_pages_trigger_is_one() -> None:
    text = re.search(r"```yaml\n(id: inbox.*?)```", page("guides/triggers.md"), re.DOTALL)
    assert text
    trigger = Trigger.model_validate(yaml.safe_load(text[1]))
    check_template(trigger.input)
    body = start_body(trigger, {"content": {"order": "SO-40120"}})
    assert body == {"input": {"order_id": "SO-40120"}}


def test_every_kind_of_trigger_is_on_the_page_and_says_how_it_is_fired() -> None:
    assert [kind for kind in TriggerKind if f"| `{kind}` |" not in page("guides/triggers.md")] == []
    assert HOW_TO_FIRE.keys() == {*TriggerKind}
