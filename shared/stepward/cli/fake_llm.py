"""Implement `stepward fake-llm`: a model provider on this machine, without a key."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption, offline
from stepward.cli.exit_codes import EPILOG, SetupError

if TYPE_CHECKING:
    from stepward.cli.offline import Provider

HELP = """Run a fake model provider on this machine until Ctrl-C.

Speaks Anthropic Messages, OpenAI Responses, Chat Completions and Embeddings, and Bedrock Converse on 127.0.0.1, so that
the vendors' SDKs can be used without a network and without costs; any key will do. Plays an agent's rehearsal or a script
of replies. Needs the extra `platform`.

Examples:

  stepward fake-llm

  stepward fake-llm --port 8500 --rehearsal order-desk.yaml

  stepward fake-llm --script replies.yaml

  stepward fake-llm --fault 429:2 --fault cut

  stepward fake-llm --cassette cassettes --record-from https://api.anthropic.com
"""
_Port = Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen; 0 takes a free port.")]
_Rehearsal = Annotated[
    Path | None,
    typer.Option(
        metavar="AGENT_FILE",
        exists=True,
        dir_okay=False,
        show_default=False,
        help="The agent whose rehearsal is played. Default: the bundled support agent.",
    ),
]
_Script = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        show_default=False,
        help="A list of replies, played in order.",
    ),
]
_Cassette = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", file_okay=False, show_default=False, help="A folder of recorded exchanges to play."
    ),
]
_RecordFrom = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="A real provider for requests that no cassette answers; its answers are recorded without secrets.",
    ),
]
_Fault = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME[:N]", show_default=False, help="A fault for the first N requests (1)."),
]
_Latency = Annotated[int, typer.Option(min=0, max=600_000, help="Milliseconds that each answer waits.")]


def fake_llm(
    port: _Port = 0,
    rehearsal: _Rehearsal = None,
    script: _Script = None,
    cassette: _Cassette = None,
    record_from: _RecordFrom = None,
    fault: _Fault = None,
    latency_ms: _Latency = 0,
    as_json: JsonOption = False,
) -> None:
    """Run a fake model provider on this machine."""
    provider = offline("A provider for tests").provider(
        port=port,
        rehearsal=rehearsal,
        script=script,
        cassette=cassette,
        record_from=record_from,
        faults=tuple(fault or ()),
        latency_ms=latency_ms,
    )
    ended = threading.Event()
    with _listening(provider, port):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        _announce(provider, as_json=as_json)
        ended.wait()


def _listening(provider: Provider, port: int) -> Provider:
    try:
        return provider.start()
    except OSError as error:
        raise SetupError(
            f"Port {port} is not available: {error.strerror}.",
            "Give another --port, or 0 for a free one.",
        ) from error


def _announce(provider: Provider, *, as_json: bool) -> None:
    if as_json:
        output.write_json({"url": provider.url, "port": provider.port, "environment": provider.environment})
        return
    output.say(f"A model provider for tests listens on {provider.url} until Ctrl-C. Any key will do.")
    for name, value in provider.environment.items():
        output.say(f"export {name}={value}")


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("fake-llm", help=HELP, epilog=EPILOG)(fake_llm)
