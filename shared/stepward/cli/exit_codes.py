"""Define the exit codes of commands, and the errors of the command line itself.

Scripts rely on the codes, so help, tests and code read them from here.
"""

from __future__ import annotations

from stepward.sdk import ApiError, BadCall, StepwardError, StillRunning, Unreachable

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
UNREACHABLE = 4
EPILOG = (
    "Exit codes: 0 done · 1 the run or a check failed · 2 wrong usage or set-up · "
    "3 the API refused · 4 the API cannot be reached · 130 stopped with Ctrl-C."
)


class SetupError(StepwardError):
    """A missing or wrong part of this machine's set-up.

    Unlike with `BadCall`, the command's arguments are fine.
    """

    code = "SetupError"


class InputError(BadCall):
    """A file, JSON text or option that cannot be read."""

    code = "InputError"


def exit_code_of_run(status: str) -> int:
    """Return the exit code of a command that followed a run to its end."""
    return OK if status == "COMPLETED" else FAILED


def exit_code_for(error: StepwardError) -> int:
    """Return the exit code of an error, by who must act."""
    match error:
        case ApiError():
            return REFUSED
        case Unreachable():
            return UNREACHABLE
        case StillRunning():
            return FAILED
        case _:
            return USAGE
