"""Forms that a person fills in: what may be asked for, and whether what came back fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stepward.domain.errors import InvalidRequest
from stepward.domain.nearest import did_you_mean

LONGEST_TEXT_CHARS: Final = 4_000
MOST_CHOICES: Final = 50
MOST_FIELDS: Final = 12
"""With the longest texts a filled-in form still fits into the journal's item."""

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Choice = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class FormField(BaseModel):
    """One field of a form; `choices` belong to the type `choice` alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: FieldName = Field(description="What the answer is called in what was filled in.")
    type: Literal["text", "number", "boolean", "choice", "date"] = Field(
        default="text", description="What may be filled in."
    )
    label: str = Field(default="", max_length=200, description="What the person reads beside it.")
    required: bool = Field(default=False, description="Whether it is required to approve.")
    choices: tuple[Choice, ...] = Field(
        default=(), max_length=MOST_CHOICES, description="What may be chosen; of the type `choice` alone."
    )

    @model_validator(mode="after")
    def _offers_what_can_be_chosen(self) -> FormField:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a field of type `choice` needs `choices`, and no other field may have any")
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("the `choices` hold one of them twice")
        return self

    def fault_of(self, value: Any) -> tuple[str, str] | None:
        """Return what is wrong with a value and how to fix it; None if it fits."""
        fits, fix = _RULES[self.type]
        if fits(self, value):
            return None
        return f"{self.name} is {str(value)[:80]!r}", fix.format(choices=", ".join(self.choices))


Form = Annotated[tuple[FormField, ...], Field(max_length=MOST_FIELDS)]


def check_filled_in(form: tuple[FormField, ...], given: Mapping[str, Any], *, completely: bool) -> None:
    """Refuse values that do not fit the form, all faults at once.

    `completely` also requires the required fields.
    """
    faults = [*_unknown(form, given), *_wrong(form, given), *(_missing(form, given) if completely else ())]
    if not faults:
        return
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    raise InvalidRequest(f"{first['detail']}{more}.", field=first["field"], fix=first["fix"], errors=faults)


Faults = Iterator[dict[str, str]]


def _unknown(form: tuple[FormField, ...], given: Mapping[str, Any]) -> Faults:
    known = [field.name for field in form]
    for name in given:
        if name not in known:
            asked = f"the form asks for {', '.join(known)}" if known else "this approval has no form"
            yield _fault(name, "there is no such field", did_you_mean(name, known, asked))


def _wrong(form: tuple[FormField, ...], given: Mapping[str, Any]) -> Faults:
    for field in form:
        found = field.fault_of(given[field.name]) if field.name in given else None
        if found:
            yield _fault(field.name, *found)


def _missing(form: tuple[FormField, ...], given: Mapping[str, Any]) -> Faults:
    for field in form:
        if field.required and field.name not in given:
            yield _fault(
                field.name, f"{field.name} is missing", f"add {field.name!r}: {field.label or field.type}"
            )


def _fault(name: str, detail: str, fix: str) -> dict[str, str]:
    return {"field": f"form.{name[:80]}", "detail": detail, "fix": fix}


def _is_text(field: FormField, value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_TEXT_CHARS
        and bool(value.strip() or not field.required)
    )


def _is_number(_field: FormField, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < 1e15 and isfinite(value)


def _is_boolean(_field: FormField, value: Any) -> bool:
    return isinstance(value, bool)


def _is_choice(field: FormField, value: Any) -> bool:
    return isinstance(value, str) and value in field.choices


def _is_date(_field: FormField, value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_RULES: Final[dict[str, tuple[Callable[[FormField, Any], bool], str]]] = {
    "text": (
        _is_text,
        f"use a text of at most {LONGEST_TEXT_CHARS} characters, not empty where it is required",
    ),
    "number": (_is_number, "use a number"),
    "boolean": (_is_boolean, "use true or false"),
    "choice": (_is_choice, "use one of: {choices}"),
    "date": (_is_date, "use a date, as in 2026-11-21"),
}
