"""End a command the way people expect: one Ctrl-C cleans up, a known failure is a line, never a traceback."""

from __future__ import annotations

import signal
import sys
import textwrap
import threading
from collections.abc import Callable
from types import FrameType

from infra.local.deployer.faults import DeployError
from infra.local.faults import LaptopError, UnusableOption

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C has ended."""

UNUSABLE_OPTION = 2
"""What scripts may correct: an option that cannot be, or a port that is taken."""

_TICK_S = 0.5
_COLUMNS = 80
_stopping = threading.Event()
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: Callable[[], int]) -> int:
    """Run a command that starts a laptop; give its exit status."""
    _stop_on_first_signal()
    try:
        return command()
    except UnusableOption as error:
        sys.stderr.write(f"{wrapped(str(error))}\n")
        return UNUSABLE_OPTION
    except (LaptopError, DeployError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped before the end; every process has ended.\n")
        return INTERRUPTED


def wrapped(text: str) -> str:
    """Wrap a text at spaces for a narrow terminal; paths and addresses stay whole."""
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def wait_for_signal() -> None:
    """Wait until a signal ends the command.

    The kernel may hand a signal to any thread, and Python's handler runs in this one when it next wakes: a wait
    without end would then sleep through it.
    """
    while not _stopping.wait(_TICK_S):
        pass


def is_under_way() -> bool:
    """Return whether a signal has come.

    What ends from then on was ended by the laptop and is not reported as a trouble.
    """
    return _stopping.is_set()


def _stop_on_first_signal() -> None:
    def stop(*_: int | FrameType | None) -> None:
        _stopping.set()
        # From here on nothing may interrupt the cleaning up: a second Ctrl-C would leave processes behind.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in _SIGNALS:
        signal.signal(number, stop)
