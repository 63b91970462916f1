"""Make, list and revoke API keys: `python -m stepward.runtime.issue_key --tenant acme --principal ci --expires-in 90d`.

Run by an operator with AWS credentials and IDENTITY_TABLE set, for no tenant may make keys or take others' away. A key
is printed once and stored as a hash; one that is revoked or has expired is refused from its next request on.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import timedelta
from typing import Final

from stepward.domain.durations import A_YEAR_S
from stepward.domain.errors import StepwardError
from stepward.runtime.container import container

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST_S: Final = 10 * A_YEAR_S


def main(arguments: list[str] | None = None) -> int:
    """Make a key and print it, list keys or revoke one; return the exit code."""
    chosen = _read(arguments)
    try:
        sys.stdout.write(_done(chosen))
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}{f' Fix: {error.fix}.' if error.fix else ''}\n")
        return 1
    return 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stepward.runtime.issue_key", description=__doc__)
    parser.add_argument("--tenant", help="whose data the key opens; of a list, whose keys are shown")
    parser.add_argument("--principal", help="who holds the key, as logs and runs name it")
    parser.add_argument(
        "--expires-in", type=_lasts, metavar="TIME", help="how long it is good for, as 90d, 12h or 30m"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="show keys without their secrets, newest first")
    instead.add_argument("--revoke", metavar="ID", help="refuse a key from its next request on")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    if not (chosen.list or chosen.revoke or (chosen.tenant and chosen.principal)):
        parser.error("a new key needs --tenant and --principal")
    if (chosen.list or chosen.revoke) and (chosen.principal or chosen.expires_in):
        parser.error("--principal and --expires-in are for a new key only")
    return chosen


def _done(chosen: argparse.Namespace) -> str:
    keys = container.agents.api_keys
    if chosen.list:
        found = keys.keys(chosen.tenant)
        return json.dumps(found, indent=2) + "\n" if chosen.json else _table(found)
    if chosen.revoke:
        keys.revoke(chosen.revoke)
        return '{"revoked": true}\n' if chosen.json else "revoked: it is refused from its next request on\n"
    key = keys.issue(chosen.tenant, chosen.principal, chosen.expires_in)
    return json.dumps({"key": key}) + "\n" if chosen.json else key + "\n"


def _table(keys: list[dict[str, str | None]]) -> str:
    columns = ("id", "tenant", "principal", "status", "expires_at")
    rows = [columns, *(tuple(key[name] or "never" for name in columns) for key in keys)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _lasts(text: str) -> timedelta:
    """Parse a duration with its unit."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a duration; write a number with s, m, h or d, ten years at most"
        )
    return timedelta(seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
