"""Implement `stepward approvals`: list, show, approve and deny."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from stepward.cli import options, output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.options import CursorOption, LimitOption
from stepward.domain.json_text import NotJson, read_json
from stepward.sdk import Stepward
from stepward.sdk.approvals import Approval, ApprovalPage, FormField

app = typer.Typer(
    no_args_is_help=True,
    help="List, show, approve and deny approvals.",
    epilog=EPILOG,
)
LS_HELP = """List approvals: open ones, or those that are done.

Examples:

  stepward approvals ls

  stepward approvals ls --status done --json | jq -r '.approvals[] | [.id, .status] | @tsv'
"""
SHOW_HELP = """Show one approval: the question, its details, the form, and what was decided.

Examples:

  stepward approvals show run_01JD3Z….call_1_1
"""
APPROVE_HELP = """Approve, with the form filled in; the run goes on.

Examples:

  stepward approvals approve run_01JD3Z….call_1_1 --field amount=40 --field reason=late --comment "as agreed"
"""
DENY_HELP = """Deny; the run goes on and gets the denial as the result.

Examples:

  stepward approvals deny run_01JD3Z….call_1_1 --comment "not without the invoice"
"""


class StatusWord(StrEnum):
    """Statuses by which approvals are listed."""

    open = "open"
    done = "done"


IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="APPROVAL",
        help="The approval's id, as `ls` shows it.",
        autocompletion=options.complete_approvals,
    ),
]
FieldsOption = Annotated[
    list[str] | None, typer.Option("--field", "-f", metavar="NAME=VALUE", help="A field of the form.")
]
CommentOption = Annotated[str, typer.Option("--comment", "-c", help="A note for the run and for people.")]


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(
    status: Annotated[StatusWord, typer.Option(help="List approvals with this status.")] = StatusWord.open,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List approvals."""
    with connect(url, key) as stepward:
        page = stepward.approvals.list(status=status.value, limit=limit, cursor=cursor)
    if as_json:
        output.write_json(page)
    else:
        _show_page(page, status)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    approval_id: IdArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Show one approval."""
    with connect(url, key) as stepward:
        approval = stepward.approvals.show(approval_id)
    output.answer(approval, _show_approval, as_json=as_json)


@app.command("approve", help=APPROVE_HELP, epilog=EPILOG)
def approve(
    approval_id: IdArgument,
    fields: FieldsOption = None,
    comment: CommentOption = "",
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve."""
    with connect(url, key) as stepward:
        form = _filled_in(stepward, approval_id, fields or [])
        decided = stepward.approvals.approve(approval_id, form=form, comment=comment)
    _say(decided, as_json=as_json)


@app.command("deny", help=DENY_HELP, epilog=EPILOG)
def deny(
    approval_id: IdArgument,
    fields: FieldsOption = None,
    comment: CommentOption = "",
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny."""
    with connect(url, key) as stepward:
        form = _filled_in(stepward, approval_id, fields or [])
        decided = stepward.approvals.deny(approval_id, form=form, comment=comment)
    _say(decided, as_json=as_json)


def _filled_in(stepward: Stepward, approval_id: str, fields: list[str]) -> dict[str, Any]:
    """Read the fields as their types say; without fields the form is not asked for."""
    form = stepward.approvals.show(approval_id).get("form", []) if fields else []
    types = {field["name"]: field for field in form}
    given: dict[str, Any] = {}
    for each in fields:
        name, equals, text = each.partition("=")
        if not equals:
            raise InputError(f"--field {each!r} has no value.", "Write it as name=value.")
        given[name] = _value(types.get(name), text)
    return given


def _value(field: FormField | None, text: str) -> Any:
    """Read numbers and truth values.

    Anything else goes as text, so that the API says what is wrong with it.
    """
    if field is None or field.get("type", "text") not in ("number", "boolean"):
        return text
    try:
        return read_json(text)
    except NotJson:
        return text


def _say(approval: Approval, *, as_json: bool) -> None:
    if as_json:
        output.write_json(approval)
        return
    is_yes = approval["status"] == "approved"
    output.say(f"{approval['id']} is {approval['status']}.", style="green" if is_yes else "yellow")
    output.say(f"The run goes on: stepward runs show {approval['run']}", style="dim")


def _show_page(page: ApprovalPage, status: StatusWord) -> None:
    if not page["approvals"]:
        output.say("There are no approvals." if status is StatusWord.open else "Nothing was decided yet.")
        return
    table = output.table("approval", "status", "asked by", "question", "for", "until")
    for each in page["approvals"]:
        whom = ", ".join(each["approvers"]) or "anybody"
        cells = (
            each["id"],
            each["status"],
            each.get("agent") or each.get("workflow", ""),
            output.clip(each["question"]),
            whom,
            each["due_at"][:16].replace("T", " "),
        )
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)
    output.more(page["next_cursor"])


def _show_approval(approval: Approval) -> None:
    output.say(approval["question"], style="bold")
    if approval.get("details"):
        output.say(output.as_line(approval["details"]))
    decision = approval["decision"]
    names = (
        "id",
        "status",
        "run",
        "agent",
        "workflow",
        "task",
        "requester",
        "created_at",
        "due_at",
        "reminded_at",
        "escalated_at",
    )
    output.fields(
        {
            **{name: approval.get(name) for name in names},
            "for": ", ".join(approval["approvers"]) or "anybody",
            "decided": f"{decision['decision']} by {decision['by']} at {decision['at']}"
            if decision
            else None,
            "filled in": output.as_line(decision.get("form") or "") if decision else None,
            "comment": decision["comment"] if decision else None,
        }
    )
    for field in approval.get("form", []):
        kind = " | ".join(field.get("choices", [])) or field.get("type", "text")
        needed = ", required" if field.get("required") else ""
        output.say(f"  --field {field['name']}=…  {kind}{needed}  {field.get('label', '')}".rstrip())
