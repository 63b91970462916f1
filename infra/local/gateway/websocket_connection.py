"""One client on one socket: RFC 6455 by the library, the limits of API Gateway, writes from any thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

MAX_MESSAGE_BYTES = 131_072
MAX_FRAME_BYTES = 32_768
_BLOCK_BYTES = 65_536
_CLOSING_LIMIT_S = 5.0

Read = Callable[[int], bytes]


class ConnectionGone(Exception):
    """The client is no longer there."""


class SocketConnection:
    """Shake hands, then read messages in the client's thread and write them from any other."""

    def __init__(self, sock: socket.socket, read: Read, handshake: bytes) -> None:
        """Take the socket, a way to read what follows the request, and the request as it came."""
        self._socket = sock
        self._read = read
        self._lock = threading.Lock()
        self._protocol = ServerProtocol(max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES))
        self._protocol.receive_data(handshake)
        self._request = next(e for e in self._protocol.events_received() if isinstance(e, Handshake))
        self._ended_here: tuple[int, str] | None = None
        self.on_activity: Callable[[], None] = lambda: None

    def check(self) -> bool:
        """Whether the request is a proper handshake; one that is not gets its answer."""
        try:
            self._protocol.process_request(self._request)
        except InvalidHandshake:
            self.accept(None)
            return False
        return True

    def accept(self, subprotocol: str | None) -> bool:
        """Switch protocols."""
        with self._lock:
            response = self._protocol.accept(self._request)
            if subprotocol is not None and response.status_code == 101:
                response.headers["Sec-WebSocket-Protocol"] = subprotocol
            self._protocol.send_response(response)
            self._flush()
        return response.status_code == 101

    def refuse(self, status: int, text: str) -> None:
        """Stay with HTTP and say why."""
        with self._lock:
            response = self._protocol.reject(status, text)
            response.headers["Content-Type"] = "application/json"
            self._protocol.send_response(response)
            self._flush()

    def messages(self) -> Iterator[str]:
        """Give every text message until one side ends the connection."""
        parts: list[bytes] = []
        while self._protocol.state is not State.CLOSED:
            for frame in self._receive():
                if frame.opcode is Opcode.BINARY:
                    # API Gateway takes text only.
                    self.close(1003, "Unsupported data")
                elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
                    parts.append(bytes(frame.data))
                    if frame.fin:
                        yield from self._text(parts)
                        parts = []

    def send(self, message: str) -> None:
        """Send a text message."""
        with self._lock:
            if self._protocol.state is not State.OPEN:
                raise ConnectionGone
            self._protocol.send_text(message.encode())
            self._flush()
        self.on_activity()

    def close(self, code: int, reason: str) -> None:
        """Begin to end the connection; a client that does not answer is hung up on."""
        with self._lock:
            if self._protocol.state is not State.OPEN:
                return
            self._ended_here = (code, reason)
            self._protocol.fail(code, reason)
            self._flush()
        hang_up = threading.Timer(_CLOSING_LIMIT_S, self._hang_up)
        hang_up.daemon = True
        hang_up.start()

    @property
    def end(self) -> tuple[int, str]:
        """Return the code and the reason of the end, as `$disconnect` gets them."""
        if self._ended_here is not None:
            return self._ended_here
        return self._protocol.close_code or 1006, self._protocol.close_reason or ""

    def _hang_up(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:
            return

    def _receive(self) -> list[Frame]:
        try:
            data = self._read(_BLOCK_BYTES)
        except OSError:
            data = b""
        with self._lock:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            found = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
            self._flush()
        if found:
            self.on_activity()
        return found

    def _text(self, parts: list[bytes]) -> Iterator[str]:
        try:
            yield b"".join(parts).decode("utf-8")
        except UnicodeDecodeError:
            self.close(1007, "Invalid UTF-8")

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            try:
                if data:
                    self._socket.sendall(data)
                else:
                    self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                return
