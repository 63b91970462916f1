"""Run a fake model provider on loopback that the vendors' real SDKs can call.

Example:
    >>> from stepward.testing.fake_llm import FakeProvider
    >>> with FakeProvider({"calls": [{"tool": "find_order"}]}, "It is on its way.") as provider:
    ...     sorted(provider.environment)
    ['ANTHROPIC_BASE_URL', 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'OPENAI_BASE_URL']
"""

from __future__ import annotations

from stepward.testing.fake_llm.known_models import ModelLimits
from stepward.testing.fake_llm.provider import FakeProvider
from stepward.testing.fake_llm.received import Received, key_digest
from stepward.testing.fake_llm.replies import FAULTS, Call, Counts, Fault, Reply
from stepward.testing.fake_llm.service import Settings

__all__ = [
    "FakeProvider", "Settings", "ModelLimits",
    "Reply", "Call", "Counts", "Fault", "FAULTS",
    "Received", "key_digest",
]  # fmt: skip
