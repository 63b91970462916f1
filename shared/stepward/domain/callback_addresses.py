"""The addresses at which calls from outside answer tasks, and how they are hidden in logs."""

from __future__ import annotations

import hmac
import re
from typing import Final
from urllib.parse import quote

_SLASH: Final = r"(?:/|%(?:25)*2F)"
_ADDRESS: Final = re.compile(
    rf"(callbacks{_SLASH}[a-z0-9-]{{1,63}}{_SLASH}run_[0-9A-Z]{{26}}){_SLASH}[^\s\"'<>&?#,;)}}\]\\]+",
    re.IGNORECASE,
)


def callback_path(tenant: str, run: str, task: str, secret: str) -> str:
    """Return the path at which one attempt of a task is answered.

    Args:
        tenant: Whose run it is.
        run: The run's id.
        task: The task's name in the run.
        secret: Known only to the recipient of the address.

    Returns:
        The path, below the API's address.
    """
    return f"/callbacks/{tenant}/{run}/{quote(task, safe='')}/{secret}"


def is_secret(expected: str, given: str) -> bool:
    """Compare secrets in constant time; any text may be given."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))


def hidden(text: str) -> str:
    """Remove the secrets from all callback addresses in a text.

    >>> hidden("POST https://api/callbacks/acme/run_01JD3Z0000000000000000000A/ask/s3cret gave 500")
    'POST https://api/callbacks/acme/run_01JD3Z0000000000000000000A/… gave 500'
    """
    return _ADDRESS.sub(r"\1/…", text)
