"""Clients of providers are kept for their connections, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from stepward.models import streams

pytestmark = pytest.mark.enable_socket  # an event loop has a pair of its own


class Client:
    """Notes whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def _call(key: int) -> Client:
    async def work() -> Client:
        return streams.kept_client(key, Client)

    return streams.run(work())


def test_the_client_of_a_key_is_kept_while_it_is_used() -> None:
    first = _call(0)
    for key in range(1, 3 * streams.MOST_CLIENTS):
        _call(key)
        assert _call(0) is first
    assert first.closed == 0


def test_clients_of_keys_that_were_replaced_are_closed_once() -> None:
    clients = [_call(key) for key in range(streams.MOST_CLIENTS + 3)]
    assert [one.closed for one in clients] == [1] * 3 + [0] * streams.MOST_CLIENTS
    assert _call(0) is not clients[0]
    streams.close()
    assert [one.closed for one in clients] == [1] * len(clients)


class Unclosable(Client):
    """A client whose far end is gone, or never says good-bye."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    async def close(self) -> None:
        await super().close()
        if self.error:
            raise self.error
        await asyncio.Event().wait()


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("closed"), None], ids=repr)
def test_no_reply_is_lost_to_a_client_that_cannot_be_closed(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(streams, "CLOSING_S", 0.01)

    async def work() -> Client:
        return streams.kept_client("odd", lambda: Unclosable(error))

    odd = streams.run(work())
    clients = [_call(key) for key in range(streams.MOST_CLIENTS + 1)]
    assert [one.closed for one in (odd, *clients[:2])] == [1, 1, 0]
    assert "not closed" in caplog.text
    assert _call(0) is not clients[0]


def test_all_that_can_be_closed_is_closed_with_the_thread() -> None:
    async def work() -> Client:
        return streams.kept_client("odd", lambda: Unclosable(OSError("gone")))

    odd, other = streams.run(work()), _call(0)
    streams.close()
    assert (odd.closed, other.closed) == (1, 1)


def test_a_call_that_fails_closes_what_is_too_much() -> None:
    clients = [_call(key) for key in range(streams.MOST_CLIENTS)]

    async def fails() -> None:
        streams.kept_client("new", Client)
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        streams.run(fails())
    assert clients[0].closed == 1
