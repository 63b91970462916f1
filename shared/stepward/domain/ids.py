"""Typed and prefixed ids: one in a log line or a URL shows what it names."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

from stepward.domain.errors import InvalidRequest

AGENT_ID_PATTERN = r"^[a-z][a-z0-9-]{1,62}$"
PROMPT_ID_PATTERN = r"^[a-z][a-z0-9-]{0,62}$"
TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
PRINCIPAL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$"
RUN_ID_PATTERN = r"^run_[0-9A-HJKMNP-TV-Z]{26}$"
APPROVAL_ID_PATTERN = r"^run_[0-9A-HJKMNP-TV-Z]{26}\.[A-Za-z0-9_-]{1,128}$"
VERSION_PATTERN = r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$"
LABEL_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"
"""A label begins with a letter and a version with a digit, so neither can be taken for the other."""
PROVIDER_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"
AGENT_UID_PATTERN = r"^AGENT-[0-9]{8}-[0-9]{6}-[0-9]{4,9}-[0-9A-F]{4}$"
TOOL_NAME_PATTERN = r"^[a-zA-Z][a-zA-Z0-9_-]{0,62}$"
TOOL_REFERENCE_PATTERN = r"^[a-zA-Z][a-zA-Z0-9_-]{0,62}(\.[a-zA-Z][a-zA-Z0-9_-]{0,62})?$"

AgentId = Annotated[str, StringConstraints(pattern=AGENT_ID_PATTERN)]
Version = Annotated[str, StringConstraints(pattern=VERSION_PATTERN)]
VersionOrLabel = Annotated[str, StringConstraints(pattern=f"{VERSION_PATTERN}|{LABEL_PATTERN}")]
"""A version number or a label, such as `1.0.0`, `prod` or `latest`."""
ToolName = Annotated[str, StringConstraints(pattern=TOOL_NAME_PATTERN)]
ToolReference = Annotated[str, StringConstraints(pattern=TOOL_REFERENCE_PATTERN)]
"""A tool of the catalog by its name, or one of your own as `folder.function`."""

_FIXES = {
    AGENT_ID_PATTERN: "use 2 to 63 small letters, digits and dashes, beginning with a letter",
    PROMPT_ID_PATTERN: "use 1 to 63 small letters, digits and dashes, beginning with a letter",
    RUN_ID_PATTERN: "use the `id` that starting the run answered, as in run_01JD3Z…",
    APPROVAL_ID_PATTERN: "use the `id` that GET /approvals shows, as in run_01JD3Z….call_1_1",
    VERSION_PATTERN: "use three numbers, as in 1.0.0",
    LABEL_PATTERN: "use 1 to 32 small letters, digits and dashes, beginning with a letter, such as prod",
    PRINCIPAL_PATTERN: "use letters, digits and @._-, 100 characters at most",
    PROVIDER_PATTERN: "use 1 to 32 small letters, digits and dashes, beginning with a letter, such as anthropic",
    TENANT_PATTERN: "use small letters, digits and dashes",
}


def check_id(field: str, value: str, pattern: str) -> str:
    """Return an id if it is well formed, so that nothing else gets into keys and paths."""
    if not re.fullmatch(pattern, value):
        shown = value if len(value) <= 80 else value[:80] + "…"
        raise InvalidRequest(f"{shown!r} is not a valid {field}.", field=field, fix=_FIXES[pattern])
    return value
