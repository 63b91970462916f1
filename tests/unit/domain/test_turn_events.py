"""What the event of a turn tells: who answered, and who was asked in vain before."""

from __future__ import annotations

from typing import Any

from stepward.domain.conversation import ModelReply, Tried
from stepward.domain.events import events_of
from stepward.domain.journal import Sequenced
from tests.support.builders import a_turn


def _told(reply: ModelReply) -> dict[str, Any]:
    (event, *_) = events_of("run_01", Sequenced(seq=2, record=a_turn(reply=reply)), {})
    assert event["type"] == "agent.turn.completed"
    data: dict[str, Any] = event["data"]
    return data


def test_a_turn_says_who_was_asked_in_vain() -> None:
    asked = Tried(model="ours/llama-4", error="ProviderUnavailable")
    assert _told(ModelReply(text="Hm.", tried=(asked,)))["tried"] == [
        {"model": "ours/llama-4", "error": "ProviderUnavailable"}
    ]


def test_a_turn_whose_model_answered_names_nobody_else() -> None:
    assert "tried" not in _told(ModelReply(text="Hm."))
