"""Check images and documents as a provider does before it reads them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from stepward.testing.fake_llm.replies import Refusal

_BEGINNINGS: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
MOST_IMAGE_BYTES: Final = 5 * 1024 * 1024


def image_kind(raw: bytes) -> str | None:
    """Return the kind of an image, by its first bytes."""
    return next((kind for kind, starts in _BEGINNINGS.items() if raw.startswith(starts)), None)


def check_base64_image(source: Mapping[str, Any]) -> None:
    """Refuse an image that is none, or not of the kind that is declared."""
    if source.get("type") == "url":
        return
    said = source.get("media_type")
    if said not in _BEGINNINGS:
        kinds = "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
        raise Refusal(f"messages.0.content.0.image.source.base64.media_type: Input should be {kinds}")
    raw = decoded(source.get("data"), "image.source.base64.data")
    if len(raw) > MOST_IMAGE_BYTES:
        raise Refusal(f"image exceeds 5 MB maximum: {len(raw)} bytes > {MOST_IMAGE_BYTES} bytes")
    kind = image_kind(raw)
    if kind is None:
        raise Refusal("Could not process image")
    if kind != said:
        raise Refusal(
            f"The image was specified using the {said} media type, but the image appears to be a {kind} image"
        )


def check_document(source: Mapping[str, Any]) -> None:
    """Refuse a document that is not the PDF that it claims to be, and an empty text."""
    if source.get("type") == "base64" and not decoded(source.get("data"), "document.source").startswith(
        b"%PDF-"
    ):
        raise Refusal("The PDF specified was not valid.")
    if source.get("type") == "text" and not source.get("data"):
        raise Refusal("document.source.text.data: text must be non-empty")


def decoded(data: Any, place: str) -> bytes:
    """Decode base64, or refuse it."""
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(f"{place}: invalid base64 data") from None
