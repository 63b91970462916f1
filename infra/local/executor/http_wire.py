"""The subset of HTTP/1.1 that the Runtime API's client uses."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class WireRequest:
    """One request of the runtime client."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def read_request(stream: BinaryIO, connection: socket.socket) -> WireRequest | None:
    """Read one request; return None when the client has closed the connection."""
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = _read_headers(stream)
    if "expect" in headers:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return WireRequest(method, path, headers, _read_body(stream, headers))


def write_response(
    connection: socket.socket, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Write a response, and keep the connection open."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return b"".join(_chunks(stream))
    return stream.read(int(headers.get("content-length") or 0))


def _chunks(stream: BinaryIO) -> list[bytes]:
    chunks: list[bytes] = []
    while size := int(stream.readline().split(b";")[0] or b"0", 16):
        chunks.append(stream.read(size))
        stream.readline()
    _read_headers(stream)
    return chunks
