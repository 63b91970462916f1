"""moto's SNS takes messages for FIFO topics that AWS refuses, and gives those that it takes no sequence number.

Where: `SNSResponse.publish` in moto/sns/responses.py; `SNSBackend.publish` in moto/sns/models.py looks for a group only where a
queue is subscribed. Nor is an empty message refused, and it calls a topic that is not there an endpoint.
"""

from __future__ import annotations

import itertools
from typing import Any

from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError
from moto.sns.responses import SNSResponse

ORIGINAL = SNSResponse.publish
_numbers = itertools.count(10_000_000_000_000_000_000, 1_000)


def install() -> None:
    """Replace the API's action."""
    SNSResponse.publish = _publish


def _publish(response: Any) -> Any:
    said = {
        name: response._get_param(name)  # noqa: SLF001 - moto's own
        for name in ("Message", "MessageGroupId", "MessageDeduplicationId", "TargetArn", "TopicArn")
    }
    if not said["Message"]:
        raise SNSInvalidParameter("Invalid parameter: Empty message")
    topic = response.backend.topics.get(said["TargetArn"] or said["TopicArn"])
    if topic is None and said["TopicArn"]:
        raise SNSNotFoundError("Topic does not exist")
    if topic is None or not topic.fifo_topic:
        return ORIGINAL(response)
    if not said["MessageGroupId"]:
        raise SNSInvalidParameter(
            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
        )
    if not said["MessageDeduplicationId"] and str(topic.content_based_deduplication).lower() != "true":
        raise SNSInvalidParameter(
            "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    answer = ORIGINAL(response)
    answer.result["SequenceNumber"] = str(next(_numbers))
    return answer
