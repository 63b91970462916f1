"""Small files of every type that a run can show its model."""

from __future__ import annotations

import struct
import zlib
from pathlib import PurePosixPath


def a_png(width: int = 1, height: int = 1) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"\x00\xff" * width * height))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x01" * 40 + b"\xff\xd9"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
WEBP = b"RIFF" + struct.pack("<I", 24) + b"WEBPVP8L" + struct.pack("<I", 12) + b"\x2f" + b"\x00" * 11
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"

FILES = {
    "photos/1.png": (a_png(), "image/png"),
    "photos/2.JPG": (JPEG, "image/jpeg"),
    "photos/3.gif": (GIF, "image/gif"),
    "photos/4.webp": (WEBP, "image/webp"),
    "uploads/invoice.pdf": (PDF, "application/pdf"),
    "notes/a.txt": ("\ufeffBread is 3 €.\n".encode(), "text/plain"),
    "notes/b.md": (b"# Bread\r\n\r\nGood.\t", "text/markdown"),
    "notes/c.csv": (b"a,b\n1,2\n", "text/csv"),
}


def name_of(key: str) -> str:
    return PurePosixPath(key).name
