"""Files that a run shows its model beside its input: their types and size limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_ATTACHMENTS: Final = 10
MOST_IMAGE_BYTES: Final = 5_000_000
MOST_DOCUMENT_BYTES: Final = 4_500_000
MOST_ALL_BYTES: Final = 15_000_000

IMAGE_TOKENS: Final = 5_000
PAGE_TOKENS: Final = 5_000
PDF_BYTES_A_TOKEN: Final = 20
"""An estimate: what a page takes does not depend on its bytes, and pages are not counted before the call."""
TEXT_BYTES_A_TOKEN: Final = 2

KINDS_BY_ENDING: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
}
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82"
_TAIL_BYTES: Final = 1_024
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")

MediaType = Literal[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/markdown",
    "text/csv",
]


class Attachment(BaseModel):
    """One file as it was at the run's start; a model is shown it only while it is unchanged.

    `key` is its path within the tenant's data files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    key: str
    media_type: MediaType
    size_bytes: int = Field(gt=0)
    sha256: str

    @property
    def is_image(self) -> bool:
        """Whether it is an image."""
        return self.media_type.startswith("image/")

    @property
    def is_text(self) -> bool:
        """Whether it is plain text."""
        return self.media_type.startswith("text/")

    @property
    def ending(self) -> str:
        """The extension of its type: png, jpeg, gif, webp, pdf, txt, md or csv."""
        known = {kind: ending for ending, kind in KINDS_BY_ENDING.items()}
        return known[self.media_type]

    @property
    def most_bytes(self) -> int:
        """How large a file of its kind may be."""
        return MOST_IMAGE_BYTES if self.is_image else MOST_DOCUMENT_BYTES

    @property
    def tokens(self) -> int:
        """How many tokens are reserved for it; of a PDF an estimate by its bytes."""
        if self.is_image:
            return IMAGE_TOKENS
        if self.is_text:
            return -(-self.size_bytes // TEXT_BYTES_A_TOKEN)
        return max(PAGE_TOKENS, self.size_bytes // PDF_BYTES_A_TOKEN)


Attachments = Annotated[tuple[Attachment, ...], Field(exclude_if=lambda attachments: not attachments)]


def media_type_of(body: bytes) -> str | None:
    """Detect a file's type by its content: it must begin and end as one of its type does.

    Args:
        body: The whole file.

    Returns:
        The media type, `text/plain` for any UTF-8 text without control characters; None for anything else.
    """
    for kind, looks_so in _LOOKS.items():
        if looks_so(body):
            return kind
    return "text/plain" if _is_text(body) else None


def _is_gif(body: bytes) -> bool:
    has_size = len(body) > 13 and any(body[6:8]) and any(body[8:10])
    return body[:6] in (b"GIF87a", b"GIF89a") and has_size and body.endswith(b"\x3b")


def _is_webp(body: bytes) -> bool:
    size = int.from_bytes(body[4:8], "little") + 8
    return body[:4] == b"RIFF" and body[8:15] == b"WEBPVP8" and size <= len(body) <= size + 1


_LOOKS: Final[Mapping[str, Any]] = {
    "image/png": lambda body: body.startswith(_PNG) and any(body[16:20]) and body.endswith(_PNG_END),
    "image/jpeg": lambda body: body.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in body[-_TAIL_BYTES:],
    "image/gif": _is_gif,
    "image/webp": _is_webp,
    "application/pdf": lambda body: body.startswith(b"%PDF-") and b"%%EOF" in body[-_TAIL_BYTES:],
}
_BEGINNINGS: Final = (b"GIF87a", b"GIF89a", b"%PDF-", b"RIFF")
"""The beginnings of files whose bytes are text, but whose type is not."""


def _is_text(body: bytes) -> bool:
    if body.startswith(_BEGINNINGS) or _CONTROL.search(body):
        return False
    try:
        return bool(body.decode("utf-8").strip())
    except UnicodeDecodeError:
        return False
