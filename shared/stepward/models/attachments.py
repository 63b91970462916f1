"""Attachments of a run as models take them: which ones, and how they are written."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from stepward.domain.attachments import Attachment
from stepward.domain.model_cards import Capabilities
from stepward.ports.models import CallContext

BEDROCK_IMAGE_BYTES: Final = 3_750_000
BEDROCK_DOCUMENTS: Final = 5
"""How many documents Converse takes in one request."""


def fault_of(
    attachments: Sequence[Attachment], can: Capabilities | None, provider: str
) -> tuple[int, str] | None:
    """Return which file a model does not take, and why; None if it takes all.

    Args:
        attachments: The run's files.
        can: What the model can; None where that is not known, and then it takes none.
        provider: The provider that carries the calls.

    Returns:
        The file's index, and the rest of a sentence that begins with the model's name.
    """
    documents = 0
    for at, one in enumerate(attachments):
        documents += not one.is_image
        kind = "images" if one.is_image else "documents"
        if can is None or not getattr(can, kind):
            return at, f"takes no {kind}, and {one.key!r} is {one.media_type}."
        if provider == "bedrock" and one.is_image and one.size_bytes > BEDROCK_IMAGE_BYTES:
            return at, f"takes images of {BEDROCK_IMAGE_BYTES:,} bytes; {one.key!r} has {one.size_bytes:,}."
        if provider == "bedrock" and documents > BEDROCK_DOCUMENTS:
            return at, f"takes {BEDROCK_DOCUMENTS} documents, and {one.key!r} is one more."
    return None


def base64_of(attachment: Attachment, call: CallContext) -> str:
    """Encode a file's bytes as base64."""
    return b64encode(call.attached[attachment.key]).decode()


def data_url(attachment: Attachment, call: CallContext) -> str:
    """Encode a file as a `data:` URL."""
    return f"data:{attachment.media_type};base64,{base64_of(attachment, call)}"


def text_of(attachment: Attachment, call: CallContext) -> str:
    """Decode the text of a text file."""
    return call.attached[attachment.key].decode("utf-8-sig")


def name_of(attachment: Attachment) -> str:
    """Return a file's name without its folders."""
    return attachment.key.rpartition("/")[2]
