"""The client's errors, grouped by who must act.

::

    StepwardError
    ├── BadCall        the calling program must change: nothing was sent
    ├── Unreachable    the network or the server must come back: no answer came
    ├── ApiError       the API answered with a refusal; its `code` says which
    │   └── DocumentRefused  a workflow's document has problems; `problems` are all of them
    ├── NoOutput       a run has no answer of the kind that was asked for
    └── StillRunning   the run needs more time than the caller gave it
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx2

from stepward.domain.retries import retry_after_s

_TOO_LARGE: Final = 413


class StepwardError(Exception):
    """The base of all errors; `fix` is one sentence that says what to do about it.

    Args:
        detail: What is wrong.
        fix: What to do about it. Default: None, where that is not known.

    Example:
        >>> try:
        ...     jsonata("")
        ... except StepwardError as error:
        ...     print(error.code)
        BadCall
    """

    code = "StepwardError"

    def __init__(self, detail: str, fix: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix

    def __str__(self) -> str:
        """Return one line: the code, what is wrong, the fix."""
        return f"{self.code}: {self.detail}" + (f" Fix: {self.fix}" if self.fix else "")

    @property
    def problem(self) -> dict[str, Any]:
        """The same as a problem document (RFC 9457), for programs that read one."""
        body = {
            "type": f"about:stepward/{self.code}",
            "title": self.code,
            "code": self.code,
            "detail": self.detail,
        }
        return body | ({"fix": self.fix} if self.fix else {})


class BadCall(StepwardError):
    """The call cannot be sent as it is; unlike `ApiError`, the server never saw it."""

    code = "BadCall"


class NoOutput(StepwardError):
    """A run has no answer, or one of another kind than was asked for."""

    code = "NoOutput"


class Unreachable(StepwardError):
    """No answer came, so it is not known whether the server saw the call."""

    code = "Unreachable"


class StillRunning(StepwardError):
    """The time given to `wait` is over; the run goes on, and waiting again is safe."""

    code = "StillRunning"


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a request, where a problem document names several."""

    field: str
    detail: str
    fix: str | None = None


class ApiError(StepwardError):
    """The API refused the call and said why; `code` is stable, `detail` may be reworded."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after_s: float | None = None) -> None:
        super().__init__(str(problem.get("detail") or "The API gave no reason."), _text(problem.get("fix")))
        self.status = status
        self.code = str(problem.get("code") or f"Http{status}")
        self.field = _text(problem.get("field"))
        self.errors = _field_errors(problem.get("errors"))
        self.retry_after_s = retry_after_s
        self._problem = problem

    def __str__(self) -> str:
        """Return one line: code, status, field, what is wrong, the fix, then each wrong field."""
        where = f" ({self.field})" if self.field else ""
        more = "".join(f" [{e.field}: {e.detail}]" for e in self.errors)
        return (
            f"{self.code} {self.status}{where}: {self.detail}"
            + (f" Fix: {self.fix}" if self.fix else "")
            + more
        )

    @property
    def problem(self) -> dict[str, Any]:
        """The document as the API sent it."""
        return self._problem

    @classmethod
    def from_response(cls, response: httpx2.Response) -> ApiError:
        """Read a refusal's problem document.

        Where something in front of Stepward answered, such as a proxy, the document is made from its answer.
        """
        body = _json_object(response)
        if "code" not in body:
            body = _foreign_problem(response, body)
        return cls(response.status_code, body, retry_after_s(response.headers.get("retry-after")))


@dataclass(frozen=True)
class WorkflowProblem:
    """One problem of a workflow's document: where, what, and how to fix it."""

    code: str
    detail: str
    fix: str
    task: str | None = None
    field: str | None = None
    line: int | None = None
    column: int | None = None

    def as_diagnostic(self, name: str = "") -> str:
        """Return the problem as a compiler would write it, so that editors find the place.

        Args:
            name: The file's name.

        Returns:
            `file:line:column: task: detail (fix)`, without what is not known.

        Example:
            >>> WorkflowProblem("cycle", "it needs itself", "remove it", task="total").as_diagnostic("a.yaml")
            'a.yaml: total: it needs itself (remove it)'
        """
        place = ":".join(str(part) for part in (name, self.line, self.column) if part)
        parts = [*([place] if place else []), *([self.task] if self.task else []), self.detail]
        return ": ".join(parts) + f" ({self.fix})"

    spelled = as_diagnostic
    """The name by which earlier releases knew it."""

    @classmethod
    def of(cls, entry: dict[str, Any], *, has_positions: bool = True) -> Self:
        """Read one entry of the API's list; fields that a newer server adds are left out."""
        line, column = (entry.get("line"), entry.get("column")) if has_positions else (None, None)
        return cls(
            code=str(entry.get("code", "")),
            detail=str(entry.get("detail", "")),
            fix=str(entry.get("fix", "")),
            task=_text(entry.get("task")),
            field=_text(entry.get("field")),
            line=line if isinstance(line, int) else None,
            column=column if isinstance(column, int) else None,
        )


class DocumentRefused(ApiError):
    """A workflow's document has problems; `problems` are all of them, by position."""

    def __init__(
        self, status: int, problem: dict[str, Any], problems: tuple[WorkflowProblem, ...] = ()
    ) -> None:
        super().__init__(status, problem)
        self.problems = problems

    def __str__(self) -> str:
        """Return one line per problem."""
        return "\n".join(
            [f"{self.code} {self.status}:", *(f"  {one.as_diagnostic()}" for one in self.problems)]
        )

    @classmethod
    def of(cls, error: ApiError, *, has_positions: bool = True) -> Self | None:
        """Return the refusal of a document, or None if an error is of another kind.

        Only the entries of a refused document have codes of their own.
        """
        listed = error.problem.get("errors")
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        if error.status != 400 or not entries or not all("code" in one for one in entries):
            return None
        found = tuple(WorkflowProblem.of(one, has_positions=has_positions) for one in entries)
        return cls(error.status, error.problem, found)


def _json_object(response: httpx2.Response) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        body = response.json()
        return body if isinstance(body, dict) else {}
    return {}


def _foreign_problem(response: httpx2.Response, body: dict[str, Any]) -> dict[str, Any]:
    code = f"Http{response.status_code}"
    if response.status_code == _TOO_LARGE:
        return {
            "type": f"about:stepward/{code}",
            "title": response.reason_phrase,
            "status": response.status_code,
            "code": code,
            "detail": "the request is larger than the stage takes in.",
            "fix": "Send less: a workflow's document may have 1 MB, an input 3 MB.",
        }
    said = str(body.get("message") or response.reason_phrase or "no reason given")
    return {
        "type": f"about:stepward/{code}",
        "title": response.reason_phrase,
        "status": response.status_code,
        "code": code,
        "detail": f"{response.request.url.host} answered {response.status_code} ({said}), not a Stepward document.",
        "fix": "Check that the URL is the one that your Stepward stage shows.",
    }


def _text(value: object) -> str | None:
    return str(value) if value else None


def _field_errors(value: object) -> tuple[FieldError, ...]:
    entries = [e for e in value if isinstance(e, dict)] if isinstance(value, list) else []
    return tuple(
        FieldError(str(e.get("field", "")), str(e.get("detail", "")), _text(e.get("fix"))) for e in entries
    )
