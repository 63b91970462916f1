"""The provider that tests start, script and inspect."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from stepward.testing.fake_llm.cassettes import check_folder
from stepward.testing.fake_llm.received import Received, without_secrets
from stepward.testing.fake_llm.recording import Recorder
from stepward.testing.fake_llm.replies import Fault, Reply
from stepward.testing.fake_llm.scripts import (
    BUNDLED,
    Rehearsed,
    Script,
    Source,
    Unreadable,
    read_definition,
    rehearsal_of,
)
from stepward.testing.fake_llm.server import Server
from stepward.testing.fake_llm.service import Service, Settings

_MOST_KEPT: Final = 10_000
_MOST_KEPT_BYTES: Final = 256 * 1024 * 1024
Scripted: TypeAlias = Reply | str | Mapping[str, Any]


class FakeProvider:
    """A model provider on loopback that speaks the vendors' own protocols.

    Without replies it plays a rehearsal: the given one, or that of the bundled support agent.

    Args:
        replies: The answers, in order: a `Reply`, its fields, or a text.
        rehearsal: An agent's file, or its content, whose rehearsal is played.
        cassettes: A folder of exchanges that are played; then nothing else is.
        record_from: A real provider's address, for requests that no cassette answers yet.
        settings: Port, models, keys and delays. Default: those of `Settings()`.

    Raises:
        Unreadable: A file or a folder cannot be used.

    Example:
        >>> with FakeProvider("Hello.") as provider:
        ...     provider.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        *replies: Scripted,
        rehearsal: Path | str | Mapping[str, Any] | None = None,
        cassettes: Path | None = None,
        record_from: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        chosen = Script(map(_reply, replies)) if replies else _rehearsed(rehearsal)
        self._service = Service(settings or Settings(), chosen, _recorder(cassettes, record_from))
        self._requests: list[Received] = []
        self._changed = threading.Condition()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Start to listen; a second call changes nothing.

        Returns:
            The provider itself.

        Raises:
            OSError: The port is taken.
        """
        if self._server:
            return self
        self._server = Server(self._service.settings.port, self._service, self._admit, self._notify)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening; a second call does nothing."""
        server, self._server = self._server, None
        if server and self._thread:
            server.end()
            self._thread.join()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on.

        Raises:
            RuntimeError: It does not run.
        """
        if self._server is None:
            raise RuntimeError("the provider does not run; use it as `with FakeProvider() as provider:`")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, as Anthropic's SDK and boto3 want it: `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """Its address as OpenAI's SDK wants it, with `/v1`."""
        return f"{self.url}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables by which the SDKs call it."""
        return {
            "ANTHROPIC_BASE_URL": self.url,
            "OPENAI_BASE_URL": self.openai_url,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url,
        }

    @property
    def requests(self) -> list[Received]:
        """The received requests, oldest first.

        The last 10,000 are kept, and of their bodies 256 MB.
        """
        with self._changed:
            return list(self._requests)

    def script(self, *replies: Scripted) -> None:
        """Answer with these replies from now on.

        Args:
            replies: As in the constructor.

        Example:
            >>> with FakeProvider("Hello.") as provider:
            ...     provider.script("One.", {"text": "Two.", "repeat": True})
        """
        self._service.source = Script(map(_reply, replies))

    def fault(self, name: str | Fault, times: int = 1, **more: Any) -> None:
        """Play a fault with the next requests.

        A fault that replaces the reply uses up no reply of the script.

        Args:
            name: The fault: one of `FAULTS`.
            times: Number of requests. Default: 1.
            more: Fields of `Fault`, such as `retry_after_s`.

        Raises:
            ValidationError: There is no such fault.

        Example:
            >>> with FakeProvider("Hello.") as provider:
            ...     provider.fault("429", times=2, retry_after_s=1)
        """
        fault = name if isinstance(name, Fault) else Fault(name=name, **more)
        self._service.faults.extend([fault] * times)

    def quiet(self) -> None:
        """Forget the faults that no request has met."""
        self._service.faults.clear()

    def wait_until(self, is_so: Callable[[list[Received]], bool], timeout_s: float = 10) -> bool:
        """Wait until the received requests satisfy a condition.

        Args:
            is_so: Receives all requests each time that one of them changes.
            timeout_s: Seconds to wait at most. Default: 10.

        Returns:
            Whether the condition was met in time.

        Example:
            >>> with FakeProvider() as provider:
            ...     provider.wait_until(lambda requests: not requests)
            True
        """
        with self._changed:
            return self._changed.wait_for(lambda: is_so(list(self._requests)), timeout_s)

    def _admit(self, method: str, path: str, headers: Any) -> Received:
        with self._changed:
            number = self._requests[-1].number + 1 if self._requests else 1
            request = Received(number, method, path, without_secrets(dict(headers.items())))
            self._requests.append(request)
            del self._requests[:-_MOST_KEPT]
            _forget_bodies(self._requests)
            return request

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _forget_bodies(requests: list[Received]) -> None:
    """Keep bodies up to a bound, the newest first."""
    kept_bytes = 0
    for request in reversed(requests):
        kept_bytes += request.size_bytes
        if kept_bytes > _MOST_KEPT_BYTES:
            request.body = None


def _reply(given: Scripted) -> Reply:
    if isinstance(given, str):
        return Reply(text=given)
    return given if isinstance(given, Reply) else Reply.model_validate(dict(given))


def _rehearsed(given: Path | str | Mapping[str, Any] | None) -> Source:
    if given is None:
        return _bundled()
    if isinstance(given, Mapping):
        return Rehearsed(rehearsal_of(given, "the definition"))
    return Rehearsed(rehearsal_of(read_definition(Path(given)), str(given)))


@cache
def _bundled() -> Source:
    """Read the bundled agent once; a rehearsal has no state of its own."""
    return Rehearsed(rehearsal_of(read_definition(BUNDLED), BUNDLED.name))


def _recorder(cassettes: Path | None, record_from: str | None) -> Recorder | None:
    if cassettes is None:
        if record_from:
            raise Unreadable("to record, give the folder of cassettes too")
        return None
    return Recorder(check_folder(cassettes, records=record_from is not None), record_from)
