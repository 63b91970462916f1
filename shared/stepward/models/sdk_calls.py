"""Makes one streaming call by a vendor's official SDK.

The SDKs of Anthropic and OpenAI are generated alike: the same clients, streams and errors under other names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import ProviderFault, StreamCut
from stepward.models.provider_faults import ErrorResponse, fault_of, no_key, unreachable, without
from stepward.models.reply_builder import ReplyBuilder
from stepward.models.streams import CallAbandoned, StreamStalled, Watch, kept_client, run
from stepward.ports.models import CallContext

T = TypeVar("T")

CONNECT_S: Final = 10.0
_UNREADABLE: Final = (ValueError, AttributeError, TypeError, LookupError, RecursionError)
"""What an event of another shape raises: the SDKs do not validate what servers send."""


class StreamError(Exception):
    """A vendor's error event within a stream.

    Args:
        kind: The vendor's name of the error.
        message: What the vendor says.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Reading(ABC):
    """Puts the events of one stream together.

    Args:
        builder: The reply that they make.
    """

    def __init__(self, builder: ReplyBuilder) -> None:
        self.builder = builder
        self.is_whole = False

    @abstractmethod
    def take(self, event: Any) -> None:
        """Take in one event; unknown kinds are ignored."""

    def end(self, headers: Mapping[str, str]) -> None:
        """Take in the end of the stream; `headers` are those of its response."""
        del headers  # most vendors say with an event that a reply is whole

    def failed(self, fault: ProviderFault) -> ProviderFault:
        """Attach what came before a fault, because it is paid."""
        if self.builder.has_begun:
            return StreamCut(fault.detail, partial=self.builder.cut())
        return fault


@dataclass(frozen=True)
class SdkCall:
    """One call.

    Args:
        sdk: The vendor's package, with its classes of errors.
        request_id_header: The header with the vendor's id of the call.
        request: What is asked.
        call: What the call may use.
        opening: Opens the SDK's stream.
        reading: Takes its events.
    """

    sdk: Any
    request_id_header: str
    request: ModelRequest
    call: CallContext
    opening: Awaitable[Any]
    reading: Reading

    async def reply(self) -> ModelReply:
        """Read the stream to its end; an abandoned reply is cut."""
        import httpx2  # noqa: PLC0415  loaded by the first call of a provider

        reading = self.reading
        try:
            await self._read()
        except CallAbandoned:
            return reading.builder.cut()
        except (StreamError, self.sdk.APIStatusError) as error:
            # A vendor's own words may show a part of the key, so they are not kept beside ours.
            raise reading.failed(self._fault(error)) from None
        except (StreamStalled, self.sdk.APIError, httpx2.HTTPError, *_UNREADABLE, OSError) as error:
            if not reading.is_whole:
                raise reading.failed(self._fault(error)) from error
            # Nothing of the reply is missing where only the connection's end goes wrong, and it is paid.
            reading.end({})
        if reading.builder.is_too_long:
            return reading.builder.too_long()
        if not reading.is_whole:
            raise reading.failed(unreachable(self.call.provider, "the stream ended before the reply did."))
        return reading.builder.reply()

    async def _read(self) -> None:
        watch, reading = Watch(self.call), self.reading
        stream = await watch.wait(self.opening)
        async with stream:
            headers = stream.response.headers
            reading.builder.request_id = headers.get(self.request_id_header)
            watch.count_bytes(lambda: stream.response.num_bytes_downloaded)
            async for event in watch.events(stream):
                reading.take(event)
                if reading.is_whole:
                    watch.hurry()
                if reading.builder.is_too_long:
                    return
            reading.end(headers)

    def _fault(self, error: Exception) -> ProviderFault:
        if isinstance(error, StreamError):
            return self._said({"type": error.kind, "message": error.message}, error)
        if isinstance(error, self.sdk.APIError):
            body = getattr(error, "body", None)
            fault = body.get("error", body) if isinstance(body, dict) else None
            if isinstance(fault, dict) or isinstance(error, self.sdk.APIStatusError):
                return self._said(fault if isinstance(fault, dict) else {}, error)
        return unreachable(self.call.provider, _why(error))

    def _said(self, said: Mapping[str, Any], error: Exception) -> ProviderFault:
        """Translate a vendor's error.

        One within a stream has the status of a success, which is left out.
        """
        response = getattr(error, "response", None)
        status = response.status_code if response is not None and response.status_code >= 300 else None
        code = said.get("code")
        return fault_of(
            ErrorResponse(
                provider=self.call.provider,
                # Some compatible servers give the status where others give the error's name.
                status=status or (code if isinstance(code, int) and code >= 400 else None),
                kind=next((name for name in (code, said.get("type")) if name and isinstance(name, str)), ""),
                message=self._without_key(str(said.get("message") or error)),
                headers=_lower(response.headers) if response is not None else {},
                model=self.request.model,
                request_id=getattr(error, "request_id", None) or self.reading.builder.request_id,
            )
        )

    def _without_key(self, said: str) -> str:
        """Remove the key from a message before it is cut.

        A part of a key would not be found afterwards.
        """
        key = self.call.access.key
        return without(said, key.get_secret_value()) if key else said


def _why(error: Exception) -> str:
    from stepward.models.bounded_http import AnswerUnbounded  # noqa: PLC0415  see above

    said = error.__cause__ if isinstance(error.__cause__, AnswerUnbounded) else error
    return (
        str(said) if isinstance(said, StreamStalled | AnswerUnbounded) else f"{type(said).__name__}: {said}"
    )


class SdkClient(ABC):
    """Calls a vendor's models by its SDK; replies stream, so that a stalled one is noticed."""

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Make one call.

        Args:
            request: What is asked.
            call: What the call may use.

        Returns:
            The reply; an abandoned one is cut.

        Raises:
            ProviderFault: In every way in which no whole reply came; `StreamCut` where a part of it did.
        """
        return run(self._reply(request, call))

    async def _reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        return await self.begin(request, call).reply()

    @abstractmethod
    def begin(self, request: ModelRequest, call: CallContext) -> SdkCall:
        """Load the SDK and start the call."""


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def keyed_client(vendor: str, call: CallContext, make: Callable[[str], T]) -> T:
    """Return the client of a provider and a key, so that its connections are used again.

    Args:
        vendor: The vendor of the SDK.
        call: The provider's address and the key.
        make: Makes a client of a key.

    Raises:
        KeyMissing: No key is set.
    """
    key = call.access.key
    if key is None:
        raise no_key(call.provider)
    return kept_client((vendor, call.access), lambda: make(key.get_secret_value()))
