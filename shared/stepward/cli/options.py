"""Declare the arguments and options that several commands share, and complete ids."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Annotated, Final

import typer

from stepward.cli import connection
from stepward.cli.exit_codes import InputError
from stepward.domain.numbers import NotANumber, whole_of
from stepward.sdk import Stepward, StepwardError

ANSWERS_WITHIN_S: Final = 2.0
MOST_ASKED: Final = 100
Pairs = Iterable[tuple[str, str]]


def _completer(ask: Callable[[Stepward], Pairs]) -> Callable[[str], list[tuple[str, str]]]:
    """Return a completion function for Typer: ids, each with a description."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        try:
            url, key = os.environ.get("STEPWARD_URL"), os.environ.get("STEPWARD_API_KEY")
            with connection.connect(url, key, timeout_s=ANSWERS_WITHIN_S) as stepward:
                return [pair for pair in ask(stepward) if pair[0].startswith(incomplete)]
        except StepwardError:
            return []

    return complete


complete_agents: Final = _completer(
    lambda stepward: (
        (one["id"], one.get("name") or "") for one in stepward.agents(limit=MOST_ASKED)["agents"]
    )
)
complete_workflows: Final = _completer(
    lambda stepward: (
        (one["id"], one["name"]) for one in stepward.workflows.list(limit=MOST_ASKED)["workflows"]
    )
)
complete_runs: Final = _completer(
    lambda stepward: ((one["id"], one["status"]) for one in stepward.runs(limit=MOST_ASKED)["runs"])
)
complete_triggers: Final = _completer(
    lambda stepward: (
        (one["id"], one["kind"]) for one in stepward.triggers.list(limit=MOST_ASKED)["triggers"]
    )
)
complete_prompts: Final = _completer(
    lambda stepward: (
        (one["id"], one["description"]) for one in stepward.prompts.list(limit=MOST_ASKED)["prompts"]
    )
)
complete_approvals: Final = _completer(
    lambda stepward: ((one["id"], one["question"]) for one in stepward.approvals.list()["approvals"])
)
complete_tools: Final = _completer(
    lambda stepward: ((one["name"], one["effect"]) for one in stepward.tools.list())
)
complete_files: Final = _completer(
    lambda stepward: (
        (one["key"], f"{one['size_bytes']} bytes") for one in stepward.data.list(limit=MOST_ASKED)["files"]
    )
)


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
        autocompletion=complete_agents,
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id (run_…).", autocompletion=complete_runs)
]
WorkflowArgument = Annotated[
    str, typer.Argument(metavar="WORKFLOW", help="The workflow's id.", autocompletion=complete_workflows)
]
PromptArgument = Annotated[
    str, typer.Argument(metavar="PROMPT", help="The prompt's id.", autocompletion=complete_prompts)
]
TriggerArgument = Annotated[
    str, typer.Argument(metavar="TRIGGER", help="The trigger's id.", autocompletion=complete_triggers)
]
LimitOption = Annotated[int | None, typer.Option(parser=at_least(1), metavar="N", help="Number of entries.")]
CursorOption = Annotated[str | None, typer.Option(help="The `next_cursor` of the page before.")]
IdempotencyKeyOption = Annotated[
    str | None, typer.Option(help="The same key with the same input starts one run only. Default: a new key.")
]
RehearseOption = Annotated[
    bool | None,
    typer.Option(
        "--rehearse/--no-rehearse",
        help="Answer by rehearsals, or by models, which are paid. Default: the stage's setting.",
    ),
]
ChargeOption = Annotated[
    bool | None,
    typer.Option(
        "--charge/--no-charge",
        help="Charge a rehearsed run to budgets and costs. Default: the stage's setting.",
    ),
]
KeptRehearseOption = Annotated[
    bool | None,
    typer.Option(
        "--rehearse/--no-rehearse",
        help="Answer by rehearsals, or by models, which are paid. Default: as before.",
    ),
]
KeptChargeOption = Annotated[
    bool | None,
    typer.Option(
        "--charge/--no-charge",
        help="Charge a rehearsed run to budgets and costs. Default: as before.",
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
