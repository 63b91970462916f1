"""Makes the provider of what a command line says."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from stepward.testing.fake_llm.provider import FakeProvider
from stepward.testing.fake_llm.replies import Fault
from stepward.testing.fake_llm.script_files import Unreadable, read_script
from stepward.testing.fake_llm.service import Settings

_MOST_TIMES = 1_000_000


def provider_of(
    *, port: int, rehearsal: Path | None, script: Path | None, faults: list[str], latency_ms: int
) -> FakeProvider:
    """Make a provider that does not listen yet.

    Args:
        port: Where it is to listen.
        rehearsal: An agent's file.
        script: A file of replies, in place of a rehearsal.
        faults: What goes wrong, each `NAME` or `NAME:N`.
        latency_ms: How long each answer waits, in milliseconds.

    Returns:
        The provider.

    Raises:
        Unreadable: A file or a fault cannot be used; says which, and why.
    """
    if rehearsal and script:
        raise Unreadable("--script and --rehearsal exclude each other: give one of them")
    settings = Settings(port=port, latency_ms=latency_ms)
    replies = read_script(script) if script else []
    try:
        provider = FakeProvider(*replies, rehearsal=rehearsal, settings=settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable(f"{rehearsal}: it is no agent: {place}: {first['msg']}") from error
    for told in faults:
        name, _, times = told.partition(":")
        provider.fault(_fault(name), _times(times or "1", told))
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
