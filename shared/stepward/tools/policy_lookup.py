"""Reads one topic of a tenant's written policy, kept as a JSON file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import Field

from stepward.domain.errors import NotFound, ToolFailed
from stepward.domain.json_text import NotJson, read_json
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, DataPath, Settings, Tool, ToolContext


class PolicySettings(Settings):
    """Which policy file: a JSON object with `topics`."""

    source: DataPath


class Topic(Arguments):
    """Which part of the policy."""

    topic: str = Field(min_length=1, max_length=200, description="The topic, such as a product category.")


class PolicyLookup(Tool[PolicySettings, Topic]):
    """Looks a policy up by topic."""

    name = "policy_lookup"
    description = (
        "Reads what the written policy says on one topic. Answers found=false with the nearest topic if any."
    )
    effect = Effect.NONE
    placement = Placement.REMOTE
    timeout_s = 15
    settings = PolicySettings
    arguments = Topic

    def run(self, arguments: Topic, settings: PolicySettings, context: ToolContext) -> Any:
        """Return `{"found": true, "topic", "policy": {…}}`, or found=false with `nearest`."""
        topics = _topics(settings, context)
        wanted = arguments.topic.strip().lower()
        for name, policy in topics.items():
            if name.lower() == wanted:
                return {"found": True, "topic": name, "policy": policy}
        return {
            "found": False,
            "topic": arguments.topic,
            "nearest": get_close_matches(arguments.topic, topics, n=1),
        }


def _topics(settings: PolicySettings, context: ToolContext) -> dict[str, Any]:
    try:
        file = context.datasets.read(context.tenant, settings.source)
        document = read_json(file.body) if file else {}
    except NotFound as error:
        raise ToolFailed(error.detail, fix=error.fix) from error
    except NotJson as error:
        raise ToolFailed(f"{settings.source} cannot be read as JSON: {error}") from error
    topics = document.get("topics") if isinstance(document, dict) else None
    if not isinstance(topics, dict):
        raise ToolFailed(f"{settings.source} has no object `topics`.")
    return topics
