"""`stepward fake-llm`: a model provider on this machine, for tests and for trying agents without a key."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepward.cli import screen
from stepward.cli.connection import JsonOption, offline
from stepward.cli.exit_codes import EPILOG

if TYPE_CHECKING:
    from stepward.cli.offline import Provider

HELP = """Be a model provider on this machine, until Ctrl-C.

Speaks Anthropic Messages, OpenAI Responses, Chat Completions and Embeddings, and Bedrock Converse on 127.0.0.1, so that
the vendors' SDKs can be used without a network and without costs; any key will do. Plays an agent's rehearsal or a script
of replies. Needs the extra `rooms`.

Examples:

  stepward fake-llm

  stepward fake-llm --port 8500 --rehearsal order-desk.yaml

  stepward fake-llm --script replies.yaml

  stepward fake-llm --fault 429:2 --fault cut
"""
_File = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        show_default=False,
        help="A list of replies: what to answer, in order.",
    ),
]


def fake_llm(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen; 0 takes a free port.")] = 0,
    rehearsal: Annotated[
        Path | None,
        typer.Option(
            metavar="AGENT_FILE",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="Whose rehearsal to play. Default: that of the bundled support agent.",
        ),
    ] = None,
    script: _File = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:N]", show_default=False, help="What goes wrong with the first N requests (1)."
        ),
    ] = None,
    latency_ms: Annotated[int, typer.Option(min=0, max=600_000, help="How long each answer waits.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Be a model provider on this machine."""
    provider = offline("A provider for tests").provider(
        port=port, rehearsal=rehearsal, script=script, faults=fault or [], latency_ms=latency_ms
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with provider:
        _tell(provider, as_json=as_json)
        ended.wait()


def _tell(provider: Provider, *, as_json: bool) -> None:
    if as_json:
        screen.write_json({"url": provider.url, "port": provider.port, "environment": provider.environment})
        return
    screen.say(f"A model provider for tests listens on {provider.url} until Ctrl-C. Any key will do.")
    for name, value in provider.environment.items():
        screen.say(f"export {name}={value}")


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("fake-llm", help=HELP, epilog=EPILOG)(fake_llm)
