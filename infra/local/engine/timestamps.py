"""moto knows one form of timestamp only, in whole seconds of UTC, and reads no zone.

Where: `IsTimestamp.string_to_timestamp` in moto/stepfunctions/parser/asl/component/state/choice/comparison/operator/
implementations/is_operator.py:95 and `Timestamp._from_timestamp_string` in …/state/wait/wait_function/timestamp.py:52. The States
Language takes RFC 3339 with a capital T and, where there is no offset, a capital Z; fractions and offsets count.
"""

from __future__ import annotations

import datetime as dt
import re

from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.is_operator import (
    IsTimestamp,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp

ORIGINALS = (IsTimestamp.string_to_timestamp, Timestamp._from_timestamp_string)  # noqa: SLF001 - what is mended
_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def install() -> None:
    """Read timestamps alike in rules and in waits."""
    IsTimestamp.string_to_timestamp = staticmethod(read)
    Timestamp._from_timestamp_string = staticmethod(read)  # noqa: SLF001 - as above


def read(text: str) -> dt.datetime | None:
    """Give the moment that a text stands for, to the microsecond, or None if it is no timestamp."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    moment, fraction, zone = found.groups()
    try:
        return dt.datetime.fromisoformat(
            f"{moment}.{(fraction or '0')[:6]:0<6}{'+00:00' if zone == 'Z' else zone}"
        )
    except ValueError:
        return None
