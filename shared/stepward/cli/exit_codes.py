"""The exit codes that scripts rely on, in one place, so that help, tests and code cannot disagree."""

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
    """What the command needs on this machine is missing or wrong; unlike `BadCall`, its arguments are fine."""

    code = "SetupError"


class InputError(BadCall):
    """What the person gave cannot be read: a file, a JSON text, an option."""

    code = "InputError"


def exit_code_for(error: StepwardError) -> int:
    """Choose the exit code by who must act."""
    match error:
        case ApiError():
            return REFUSED
        case Unreachable():
            return UNREACHABLE
        case StillRunning():
            return FAILED
        case _:
            return USAGE
