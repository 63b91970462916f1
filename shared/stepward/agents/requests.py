"""Parse requests, and collect everything that is wrong with them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.documents.problems import MOST_PROBLEMS
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_text import NotJson, fault_of
from stepward.domain.json_text import read_json as read_text
from stepward.domain.nearest import did_you_mean
from stepward.domain.run_origins import Caller
from stepward.ports.runs import IdempotencyKey

IDEMPOTENCY_TTL: Final = timedelta(hours=24)
IDEMPOTENCY_KEY_CHARS: Final = 200
M = TypeVar("M", bound=BaseModel)


def read_json(body: str | None) -> Any:
    """Parse a request body; an error names line and column, or the path of a refused value."""
    if not body or not body.strip():
        raise InvalidRequest("the request has no body.", field="body", fix="send a JSON object")
    try:
        value = read_text(body)
    except NotJson as error:
        fix = error.fix or "send a JSON object"
        raise InvalidRequest(
            f"the body is not JSON: {error}.", field=error.path or "body", fix=fix
        ) from error
    fault = fault_of(value)
    if fault:
        raise InvalidRequest(f"the body cannot be kept: {fault}.", field="body", fix="send plain JSON")
    return value


def parse(model: type[M], data: Any) -> M:
    """Validate data against a model; all faults are raised at once, each with its field."""
    if not isinstance(data, dict):
        raise InvalidRequest(
            f"expected a JSON object, got {type(data).__name__}.", field="body", fix="send a JSON object"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [_fault(model, detail) for detail in error.errors(include_url=False)[:20]]
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InvalidRequest(
            f"{first['field']}: {first['detail']}{more}",
            field=first["field"],
            fix=first["fix"],
            errors=faults,
        ) from error


def idempotency_key(caller: Caller, said: Any, key: str | None, now: datetime) -> IdempotencyKey | None:
    """Return what knows the same request again, by the header `Idempotency-Key`.

    Args:
        caller: Who asks; another caller's equal key is another key.
        said: All that two requests with one key must agree in: a text, or JSON values.
        key: The header's value; None where there is none.
        now: The time, from which the key is kept for 24 hours.

    Raises:
        InvalidRequest: The key cannot be kept.
    """
    if key is None:
        return None
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS or not key.isprintable():
        raise InvalidRequest(
            "the Idempotency-Key cannot be used.",
            field="Idempotency-Key",
            fix=f"use 1 to {IDEMPOTENCY_KEY_CHARS} printable characters, such as a UUID",
        )
    text = said if isinstance(said, str) else json.dumps(said, sort_keys=True)
    return IdempotencyKey(
        principal=caller.principal,
        key=key,
        body_sha256=hashlib.sha256(text.encode()).hexdigest(),
        expires_at=int((now + IDEMPOTENCY_TTL).timestamp()),
    )


def _fault(model: type[BaseModel], detail: ErrorDetails) -> dict[str, str]:
    field = ".".join(str(part) for part in detail["loc"]) or "body"
    message = detail["msg"].removeprefix("Value error, ")
    return {"field": field, "detail": message, "fix": _fix(model, detail)}


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The fields that are known where a fault is: those of the model, or of the one within it."""
    for part in place:
        field = model.model_fields.get(str(part))
        inner = next(_models_in(field.annotation), None) if field else None
        model = inner or model
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _fix(model: type[BaseModel], detail: ErrorDetails) -> str:
    name = str(detail["loc"][-1]) if detail["loc"] else "body"
    if detail["type"] == "extra_forbidden":
        return did_you_mean(name, _fields_at(model, detail["loc"][:-1]), f"remove {name!r}")
    if detail["type"] == "missing":
        return f"add {name!r}"
    context = detail.get("ctx") or {}
    expected = context.get("pattern") or context.get("expected")
    if expected:
        return f"it must match {expected}"
    if detail["type"].startswith("bool_"):
        return "write true or false"
    if detail["type"] in ("tuple_type", "list_type"):
        return f"write {name!r} as a list, as in [a, b]"
    return f"change the value of {name!r}" if detail["loc"] else "change what is sent"


Entry = dict[str, str]
"""One fault: `code`, `field`, `detail` and `fix`."""


def gathered(checks: Iterable[Callable[[], object]]) -> None:
    """Run every check, and refuse once with everything that they found.

    Raises:
        InvalidRequest: At least one check refused; `errors` lists every reason, the first one is the refusal's own.
    """
    if found := refused(checks):
        raise joined(found)


def refused(checks: Iterable[Callable[[], object]]) -> list[InvalidRequest]:
    """Run every check, and return the faults of those that refused."""
    found = []
    for check in checks:
        try:
            check()
        except InvalidRequest as error:
            found.append(error)
    return found


def joined(errors: Sequence[InvalidRequest]) -> InvalidRequest:
    """Merge several refusals into one; a single one stays as it is."""
    if len(errors) == 1:
        return errors[0]
    return of_entries([entry for error in errors for entry in entries_of(error)])


def of_entries(entries: Sequence[Entry]) -> InvalidRequest:
    """Return one refusal with these reasons, each once, causes before their consequences."""
    each: dict[tuple[str, str], Entry] = {}
    for one in entries:
        each.setdefault((one["field"], one["detail"]), one)
    told = sorted(each.values(), key=_stands_in)[:MOST_PROBLEMS]
    first = told[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return InvalidRequest(f"{first['detail']}{more}", field=first["field"], fix=first["fix"], errors=told)


def _stands_in(entry: Entry) -> bool:
    """Whether a fault is the rehearsal's, which is held to the model and tools it replaces."""
    return entry["field"].partition(".")[0] == "rehearsal"


def entries_of(error: InvalidRequest) -> list[Entry]:
    """Return a refusal's faults in the form of its list."""
    if error.errors:
        return [{"code": "wrong-value", **one} for one in error.errors]
    code = "wrong-value"
    return [{"code": code, "field": error.field or "body", "detail": error.detail, "fix": error.fix or ""}]


def unreported(entries: Iterable[Entry], before: Iterable[Entry]) -> list[Entry]:
    """Leave out faults of tools that have a reported one: that is most often the cause."""
    known = {place for one in before if (place := _tool_of(one["field"]))}
    return [one for one in entries if _tool_of(one["field"]) not in known]


def _tool_of(field: str) -> str | None:
    found = re.match(r"tools\.\d+(?=\.|$)", field)
    return found[0] if found else None
