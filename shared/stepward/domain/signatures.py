"""Signatures of webhooks by Standard Webhooks, so that senders need no code of ours.

The sender signs `<webhook-id>.<webhook-timestamp>.<body>` with HMAC-SHA256 and sends `webhook-signature: v1,<base64>`, several
with spaces between them while it changes keys. A secret is `whsec_` and 24 to 64 bytes in base64.
Source: the Standard Webhooks specification, version 1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from stepward.domain.errors import NotAuthenticated

TOLERANCE_S: Final = 300
MOST_SIGNATURES: Final = 10
_PREFIX: Final = "whsec_"
_SEED: Final = "seed_"
_ID: Final = re.compile(r"[!-~]{1,200}")
_TIME: Final = re.compile(r"\d{1,12}", re.ASCII)
_FIX: Final = "sign it as Standard Webhooks says, with the trigger's secret and the time of now"


def new_seed() -> str:
    """Make the stored part of a new secret, which is useless without the stage's key."""
    return _SEED + secrets.token_hex(32)


def secret_of(kept: str, tenant: str, trigger: str, key: Callable[[], bytes]) -> str:
    """Derive a webhook's secret from its stored part.

    Args:
        kept: What `new_seed` made; a whole secret, as it was kept once, is taken as it is.
        tenant: Whose webhook it is: the same seed in another's item gives another secret.
        trigger: Which one.
        key: Reads the stage's key, 256 bits.

    Returns:
        `whsec_` and 256 bits in base64.
    """
    if not kept.startswith(_SEED):
        return kept
    said = f"webhook\0{tenant}\0{trigger}\0{kept}".encode()
    return _PREFIX + base64.b64encode(hmac.new(key(), said, hashlib.sha256).digest()).decode()


def sign(secret: str, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """Make the signature that a sender puts into `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verified_id(valid: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the `webhook-id` of a call signed with one of the secrets.

    Header names are in lower case.
    """
    webhook_id, said_s = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(webhook_id) or not _TIME.fullmatch(said_s):
        raise refused("the headers webhook-id and webhook-timestamp are missing or cannot be read")
    if abs(now.timestamp() - int(said_s)) > TOLERANCE_S:
        raise refused(f"webhook-timestamp is more than {TOLERANCE_S} seconds away from now")
    given = [_digest(one) for one in headers.get("webhook-signature", "").split()[:MOST_SIGNATURES]]
    expected = [_digest(sign(secret, webhook_id, int(said_s), body)) for secret in valid]
    # Every pair is compared, and each in constant time, so that the answer's time tells nothing.
    if sum(hmac.compare_digest(one, other) for one in given for other in expected) == 0:
        raise refused("no signature fits")
    return webhook_id


def refused(why: str) -> NotAuthenticated:
    """Return the error for a call that was not signed with the secret."""
    return NotAuthenticated(f"the webhook is not accepted: {why}.", field="webhook-signature", fix=_FIX)


def _digest(signature: str) -> bytes:
    """Parse one signature; one of another version, or an unreadable one, matches nothing."""
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""
