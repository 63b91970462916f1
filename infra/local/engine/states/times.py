"""Patches of timestamps and of Wait states."""

from __future__ import annotations

import datetime as dt
import re

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.is_operator import (
    IsTimestamp,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.seconds import SecondsJSONata
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment

from infra.local.engine.states import failures, query_errors

ORIGINALS = (IsTimestamp.string_to_timestamp, Timestamp._from_timestamp_string)  # noqa: SLF001 - what is patched
_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def install_timestamps() -> None:
    """Parse timestamps with fractions and offsets, in rules and in waits.

    moto parses timestamps in whole seconds of UTC only.

    Where: `IsTimestamp.string_to_timestamp` in moto/stepfunctions/parser/asl/component/state/choice/comparison/operator/
    implementations/is_operator.py:95 and `Timestamp._from_timestamp_string` in …/state/wait/wait_function/timestamp.py:52. The States
    Language takes RFC 3339 with a capital T and, where there is no offset, a capital Z; fractions and offsets count.
    """
    IsTimestamp.string_to_timestamp = staticmethod(read)
    Timestamp._from_timestamp_string = staticmethod(read)  # noqa: SLF001 - as above


def read(text: str) -> dt.datetime | None:
    """Return the time of a timestamp, to the microsecond, or None if the text is none."""
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


ORIGINAL = Timestamp._get_wait_seconds  # noqa: SLF001 - what is patched
ORIGINAL_INTERVAL = WaitFunction._wait_interval  # noqa: SLF001 - as above
MAX_WAIT_S = 2**31 - 1
_MAX_SECONDS = 99_999_999


def install_wait_times() -> None:
    """Validate the duration of a wait before it begins.

    moto waits for any time, and fails a bad Timestamp of JSONata with States.Runtime and no event.

    Where: `_get_wait_seconds` of `Timestamp` and `SecondsJSONata` in
    moto/stepfunctions/parser/asl/component/state/wait/wait_function/{timestamp.py:92,seconds.py:31}. On AWS a wait ends
    within 2**31 - 1 seconds (24,855 days), and a wrong result of JSONata is States.QueryEvaluationError.
    """
    Timestamp._get_wait_seconds = _until  # noqa: SLF001 - as above
    SecondsJSONata._get_wait_seconds = _for_seconds  # noqa: SLF001 - as above
    WaitFunction._wait_interval = _wait_interval  # noqa: SLF001 - as above


def _until(wait: Timestamp, env: Environment) -> int:
    if not isinstance(wait.string, StringJSONata):
        return _seconds_to(wait, env)
    wait.string.eval(env=env)
    expression, text = wait.string.literal_value, env.stack.pop()
    query_errors.require(env, expression, text, "string", lambda value: isinstance(value, str))
    moment = read(text)
    if moment is None:
        words = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"
        query_errors.fail_with(env, f"{words}: {text}", follows_entry=True)
    return int((moment - dt.datetime.now(dt.UTC)).total_seconds())


def _seconds_to(wait: Timestamp, env: Environment) -> int:
    wait.string.eval(env=env)
    text = env.stack.pop()
    moment = read(text) if isinstance(text, str) else None
    if moment is None:
        raise FailureEventException(wait._create_failure_event(env, text))  # noqa: SLF001 - as above
    # moto compares with the local clock's time of day as if it were UTC.
    return int((moment - dt.datetime.now(dt.UTC)).total_seconds())


def _for_seconds(wait: SecondsJSONata, env: Environment) -> int:
    wait.string_jsonata.eval(env=env)
    expression, seconds = wait.string_jsonata.literal_value, env.stack.pop()
    query_errors.require(
        env,
        expression,
        seconds,
        "number",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    )
    if seconds != int(seconds) or not 0 <= seconds <= _MAX_SECONDS:
        query_errors.fail(
            env, expression, f"returned {seconds}, which is not an integer from 0 to {_MAX_SECONDS}."
        )
    return int(seconds)


def _wait_interval(wait: WaitFunction, env: Environment, wait_seconds: int) -> None:
    if wait_seconds > MAX_WAIT_S:
        failures.fail_execution(env, StatesErrorNameType.StatesRuntime, "Wait state delay is too long.")
    ORIGINAL_INTERVAL(wait, env=env, wait_seconds=wait_seconds)
