"""The README's trigger is one that can be made, and does what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from stepward.domain.triggers import Trigger
from stepward.triggers.fire import start_body
from stepward.triggers.templates import check_template

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")


def test_the_readmes_trigger_is_one() -> None:
    text = re.search(r"```yaml\n(id: inbox.*?)```", README, re.DOTALL)
    assert text
    trigger = Trigger.model_validate(yaml.safe_load(text[1]))
    check_template(trigger.input)
    body = start_body(trigger, {"content": {"order": "SO-40120"}})
    assert body == {"input": {"order_id": "SO-40120"}}
