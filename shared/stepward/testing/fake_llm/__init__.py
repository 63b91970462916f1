"""Run a fake model provider on loopback that the vendors' real SDKs can call.

Example:
    >>> from stepward.testing.fake_llm import FakeProvider
    >>> with FakeProvider({"calls": [{"tool": "find_order"}]}, "It is on its way.") as provider:
    ...     sorted(provider.environment)
    ['ANTHROPIC_BASE_URL', 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'OPENAI_BASE_URL']
"""

from __future__ import annotations

import sys
from typing import Final

from stepward.testing.fake_llm import scripts
from stepward.testing.fake_llm.known_models import ModelLimits
from stepward.testing.fake_llm.provider import FakeProvider
from stepward.testing.fake_llm.received import Received, key_digest
from stepward.testing.fake_llm.replies import FAULTS, Call, Counts, Fault, Reply
from stepward.testing.fake_llm.scripts import Unreadable
from stepward.testing.fake_llm.service import Settings

__all__ = [
    "FakeProvider", "Settings", "ModelLimits",
    "Reply", "Call", "Counts", "Fault", "FAULTS",
    "Received", "key_digest", "Unreadable",
]  # fmt: skip

_MOVED: Final = {"script_files": scripts, "sources": scripts}
"""Modules under the names of earlier releases, by which tests may import them."""
for _name, _module in _MOVED.items():
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _module
