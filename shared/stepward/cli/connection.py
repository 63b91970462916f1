"""Choose the stage and the key of a command, and declare the options for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from stepward.cli.checkout import find_laptop
from stepward.cli.exit_codes import SetupError
from stepward.sdk import Stepward

if TYPE_CHECKING:
    from stepward.cli.offline import Offline

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="STEPWARD_URL",
        help="The stage's API. Default: the laptop that runs here.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="STEPWARD_API_KEY",
        help="API key (sw_…). Default: the laptop's own.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]


@dataclass(frozen=True)
class Target:
    """A stage and its key; `api_key` is empty where only open routes are called."""

    url: str
    api_key: str


def find_target(url: str | None, key: str | None) -> Target | None:
    """Choose by option, then environment (Typer merges the two), then the laptop here.

    The laptop's key goes to the laptop only: with another `--url` it would go to a stranger.
    """
    laptop = None if url and key else find_laptop()
    chosen = url or (laptop.url if laptop else None)
    if chosen is None:
        return None
    own = laptop is not None and chosen.rstrip("/") == laptop.url.rstrip("/")
    return Target(chosen, key or (laptop.api_key if laptop and own else ""))


def connect(url: str | None, key: str | None, *, timeout_s: float = 30.0) -> Stepward:
    """Connect to the stage, or raise an error that says how to name a stage and a key."""
    target = find_target(url, key)
    if target is None:
        raise SetupError(
            "No Stepward is known here: no --url, no STEPWARD_URL, no running laptop.",
            "Start one with `stepward up`, or set STEPWARD_URL and STEPWARD_API_KEY.",
        )
    if not target.api_key:
        raise SetupError(f"No API key for {target.url}.", "Give --key, or set STEPWARD_API_KEY.")
    return open_client(target, timeout_s)


def connect_or_offline(
    url: str | None, key: str | None, what: str = "No server is known, and checking without one"
) -> Stepward | Offline:
    """Connect to the stage, or stand in for it where no server is known.

    Args:
        url: The stage's address, if the command was given one.
        key: The API key, if the command was given one.
        what: The reason for the extra, for the error if it is not installed.

    Returns:
        Either; both have `workflows` and `models`.

    Raises:
        SetupError: No server is known, and the extra that the stand-in needs is not installed.
    """
    if find_target(url, key) is not None:
        return connect(url, key)
    return offline(what)


def offline(what: str = "Checking a file") -> Offline:
    """Load the checks that need no server.

    Args:
        what: The reason for the extra, for the error if it is not installed.

    Raises:
        SetupError: The extra that it needs is not installed.
    """
    try:
        from stepward.cli.offline import Offline  # noqa: PLC0415  it loads the product's logic
    except ImportError as error:
        raise SetupError(
            f"{what} needs the extra `platform`: {error.name} is missing.",
            "Install it: pip install 'stepward[cli,platform]'. Or give --url.",
        ) from error
    return Offline()


def open_client(target: Target, timeout_s: float = 30.0) -> Stepward:
    """Create the client; tests replace this to use another transport."""
    return Stepward(target.url, target.api_key, timeout_s=timeout_s)
