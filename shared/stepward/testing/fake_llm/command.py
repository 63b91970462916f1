"""Create the provider of `stepward fake-llm` from the command's options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from stepward.testing.fake_llm.provider import FakeProvider
from stepward.testing.fake_llm.replies import Fault
from stepward.testing.fake_llm.scripts import Unreadable, read_script
from stepward.testing.fake_llm.service import Settings

_MOST_TIMES = 1_000_000


@dataclass(frozen=True)
class CommandOptions:
    """The options of the command.

    Args:
        port: Where to listen; 0 takes a free port.
        rehearsal: An agent's file.
        script: A file of replies, in place of a rehearsal.
        cassette: A folder of exchanges, in place of both.
        record_from: A real provider's address, for requests that no cassette answers yet.
        faults: Faults to play, each `NAME` or `NAME:N`.
        latency_ms: Milliseconds that each answer waits.
    """

    port: int = 0
    rehearsal: Path | None = None
    script: Path | None = None
    cassette: Path | None = None
    record_from: str | None = None
    faults: tuple[str, ...] = ()
    latency_ms: int = 0


def provider_of(options: CommandOptions) -> FakeProvider:
    """Create a provider that does not listen yet.

    Args:
        options: The options of the command.

    Returns:
        The provider.

    Raises:
        Unreadable: A file, a folder or a fault cannot be used; the message says which, and why.
    """
    if sum(one is not None for one in (options.rehearsal, options.script, options.cassette)) > 1:
        raise Unreadable("--rehearsal, --script and --cassette exclude each other: give one of them")
    settings = Settings(port=options.port, latency_ms=options.latency_ms)
    replies = read_script(options.script) if options.script else []
    try:
        provider = FakeProvider(
            *replies,
            rehearsal=options.rehearsal,
            cassettes=options.cassette,
            record_from=options.record_from,
            settings=settings,
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable(f"{options.rehearsal}: it is no agent: {place}: {first['msg']}") from error
    for one in options.faults:
        name, _, times = one.partition(":")
        provider.fault(_fault(name), _times(times or "1", one))
    return provider


def _fault(name: str) -> Fault:
    try:
        return Fault(name=name)
    except ValidationError as error:
        raise Unreadable(f"--fault: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _times(said: str, option: str) -> int:
    if not said.isdecimal() or not 0 < int(said) <= _MOST_TIMES:
        raise Unreadable(f"--fault {option}: after the colon comes a number of requests, such as 429:2")
    return int(said)
