"""What keeps a laptop from running, apart from everything heavy, so that commands can name it before they load moto."""

from __future__ import annotations


class LaptopError(Exception):
    """The laptop cannot start or go on, for a reason that a person can do something about."""


class UnusableOption(LaptopError):
    """An option of the command that cannot be used, reported before anything starts.

    Unlike its base, it ends the command with exit status 2.
    """
