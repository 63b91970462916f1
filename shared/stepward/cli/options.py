"""Declare the arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from stepward.cli import completion
from stepward.cli.exit_codes import InputError
from stepward.domain.numbers import NotANumber, whole_of


def at_least(least: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from a least value.

    It takes digits alone, where Python would read `1_000` too.
    """

    def read(text: str | int) -> int:
        try:
            value = whole_of(str(text))
        except NotANumber as error:
            raise typer.BadParameter(f"{error}.") from error
        if value < least:
            raise typer.BadParameter(f"{value} is less than {least}.")
        return value

    return read


AgentArgument = Annotated[
    str,
    typer.Argument(
        metavar="AGENT",
        help="The agent's id, as `stepward agents ls` shows it.",
        autocompletion=completion.agents,
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id (run_…).", autocompletion=completion.runs)
]
WorkflowArgument = Annotated[
    str, typer.Argument(metavar="WORKFLOW", help="The workflow's id.", autocompletion=completion.workflows)
]
TriggerArgument = Annotated[
    str, typer.Argument(metavar="TRIGGER", help="The trigger's id.", autocompletion=completion.triggers)
]
LimitOption = Annotated[int | None, typer.Option(parser=at_least(1), metavar="N", help="How many to list.")]
CursorOption = Annotated[str | None, typer.Option(help="Continue after a page, from its `next_cursor`.")]
IdempotencyKeyOption = Annotated[
    str | None, typer.Option(help="The same key with the same input starts one run only. Default: a new key.")
]
RehearseOption = Annotated[
    bool | None,
    typer.Option(
        "--rehearse/--no-rehearse",
        help="Let rehearsals answer, or models, which are paid. Default: what the stage says.",
    ),
]
ChargeOption = Annotated[
    bool | None,
    typer.Option(
        "--charge/--no-charge",
        help="Let a rehearsed run draw on budgets and count among the costs. Default: what the stage says.",
    ),
]
KeptRehearseOption = Annotated[
    bool | None,
    typer.Option(
        "--rehearse/--no-rehearse",
        help="Let rehearsals answer, or models, which are paid. Default: as before.",
    ),
]
KeptChargeOption = Annotated[
    bool | None,
    typer.Option(
        "--charge/--no-charge",
        help="Let a rehearsed run draw on budgets and count among the costs. Default: as before.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone.

    Args:
        question: The question, printed on standard error so that --json stays JSON.
        yes: The answer is yes already.

    Raises:
        InputError: The answer is no, or standard input has none.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort as error:
        raise InputError(
            "Not confirmed, so nothing was done.", "Add --yes to do it without asking."
        ) from error
    if not agreed:
        raise InputError("Nothing was done.", "Answer y, or add --yes.")
