"""Makes the provider of what a command line says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from stepward.testing.fake_llm.provider import FakeProvider
from stepward.testing.fake_llm.replies import Fault
from stepward.testing.fake_llm.script_files import Unreadable, read_script
from stepward.testing.fake_llm.service import Settings

_MOST_TIMES = 1_000_000


@dataclass(frozen=True)
class CommandOptions:
    """What a command line says.

    Args:
        port: Where to listen; 0 takes a free port.
        rehearsal: An agent's file.
        script: A file of replies, in place of a rehearsal.
        cassette: A folder of exchanges, in place of both.
        record_from: A real provider's address, to ask what no cassette answers yet.
        faults: What goes wrong, each `NAME` or `NAME:N`.
        latency_ms: How long each answer waits, in milliseconds.
    """

    port: int = 0
    rehearsal: Path | None = None
    script: Path | None = None
    cassette: Path | None = None
    record_from: str | None = None
    faults: tuple[str, ...] = ()
    latency_ms: int = 0


def provider_of(told: CommandOptions) -> FakeProvider:
    """Make a provider that does not listen yet.

    Args:
        told: What the command line says.

    Returns:
        The provider.

    Raises:
        Unreadable: A file, a folder or a fault cannot be used; says which, and why.
    """
    if sum(one is not None for one in (told.rehearsal, told.script, told.cassette)) > 1:
        raise Unreadable("--rehearsal, --script and --cassette exclude each other: give one of them")
    settings = Settings(port=told.port, latency_ms=told.latency_ms)
    replies = read_script(told.script) if told.script else []
    try:
        provider = FakeProvider(
            *replies,
            rehearsal=told.rehearsal,
            cassettes=told.cassette,
            record_from=told.record_from,
            settings=settings,
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable(f"{told.rehearsal}: it is no agent: {place}: {first['msg']}") from error
    for one in told.faults:
        name, _, times = one.partition(":")
        provider.fault(_fault(name), _times(times or "1", one))
    return provider


def _fault(name: str) -> Fault:
    try:
        return Fault(name=name)
    except ValidationError as error:
        raise Unreadable(f"--fault: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _times(said: str, told: str) -> int:
    if not said.isdecimal() or not 0 < int(said) <= _MOST_TIMES:
        raise Unreadable(f"--fault {told}: behind the colon stands how many requests, such as 429:2")
    return int(said)
