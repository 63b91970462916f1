"""`stepward prompts`: versioned templates, registered, read, compared and rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.input_files import DefinitionFile, read_input, refusals_of
from stepward.cli.options import CursorOption, LimitOption, PromptArgument
from stepward.domain.documents.yaml_text import write_yaml
from stepward.domain.json_text import NotJson, read_json
from stepward.sdk.prompt_shapes import PromptDetail, PromptDiff, PromptPage, PromptVersions, RenderedPrompt

app = typer.Typer(
    no_args_is_help=True, help="Register, read, compare, render and label prompts.", epilog=EPILOG
)
VersionOption = Annotated[str | None, typer.Option(help="A version or a label. Default: the newest version.")]

REGISTER_HELP = """Register one version of a prompt from its file.

A version never changes: registering it again with the same content is fine, with other content it is a
Conflict, and the fix is a new `version:`.

Examples:

  stepward prompts register support-system.yaml
"""
RENDER_HELP = """Render a prompt, as a run would be told it.

A value that is JSON is taken as JSON: --set 'tier=3' is a number, --set 'tier="3"' a text.

Examples:

  stepward prompts render support-system --set customer=Ann

  stepward prompts render support-system --version prod --variables @values.json --json | jq -r .text
"""
DIFF_HELP = """Compare two versions of a prompt.

Examples:

  stepward prompts diff support-system 1.0.0

  stepward prompts diff support-system prod latest
"""


@app.command("ls", help="List prompts, each in its newest version.", epilog=EPILOG)
def ls(
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the prompts."""
    with connect(url, key) as stepward:
        page = stepward.prompts.list(limit=limit, cursor=cursor)
    output.answer(page, _show_page, as_json=as_json)


@app.command("show", help="Show one version of a prompt.", epilog=EPILOG)
def show(
    prompt_id: PromptArgument,
    version: VersionOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one version."""
    with connect(url, key) as stepward:
        detail = stepward.prompts.get(prompt_id, version=version)
    output.answer(detail, _show_detail, as_json=as_json)


@app.command("versions", help="List a prompt's versions, the newest first.", epilog=EPILOG)
def versions(
    prompt_id: PromptArgument,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions."""
    with connect(url, key) as stepward:
        page = stepward.prompts.versions(prompt_id, limit=limit, cursor=cursor)
    output.answer(page, _show_versions, as_json=as_json)


@app.command("register", help=REGISTER_HELP, epilog=EPILOG)
def register(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The prompt's file: .yaml, .yml or .json.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register one version of a prompt from its file."""
    definition = DefinitionFile.read(file)
    with refusals_of(definition, as_json=as_json), connect(url, key) as stepward:
        kept = stepward.prompts.register(definition.body)
    if as_json:
        output.write_json(kept)
        return
    output.say(f"{kept['id']} {kept['version']} is registered.", style="green")
    output.say(f"Use it in an agent's file: prompt: {kept['id']}@{kept['version']}", style="dim")


@app.command("render", help=RENDER_HELP, epilog=EPILOG)
def render(
    prompt_id: PromptArgument,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A variable's value; may be repeated."),
    ] = None,
    variables: Annotated[
        str | None, typer.Option(help="All values as a JSON object, @file, or - for standard input.")
    ] = None,
    version: VersionOption = None,
    run_key: Annotated[
        str | None,
        typer.Option("--for", metavar="KEY", help="Chooses among the versions of a weighted label."),
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render a prompt."""
    values = _values(given or [], variables)
    with connect(url, key) as stepward:
        rendered = stepward.prompts.render(prompt_id, values, version=version, key=run_key)
    output.answer(rendered, _show_text, as_json=as_json)


@app.command("diff", help=DIFF_HELP, epilog=EPILOG)
def diff(
    prompt_id: PromptArgument,
    from_version: Annotated[str, typer.Argument(metavar="FROM", help="A version or a label.")],
    to_version: Annotated[
        str | None, typer.Argument(metavar="TO", help="A version or a label. Default: the newest version.")
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions."""
    with connect(url, key) as stepward:
        found = stepward.prompts.diff(prompt_id, from_version, to_version)
    output.answer(found, _show_diff, as_json=as_json)


def _values(given: list[str], variables: str | None) -> dict[str, Any]:
    values = read_input(variables) if variables is not None else {}
    if not isinstance(values, dict):
        raise InputError(
            "--variables is no JSON object.", 'Write it as in --variables \'{"customer": "Ann"}\'.'
        )
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise InputError(f"--set {one} has no name and value.", "Write it as in --set customer=Ann.")
        values[name] = read_value(text)
    return values


def read_value(text: str) -> Any:
    """Read a value that is typed: JSON where it is some, else the text as it is."""
    try:
        return read_json(text)
    except NotJson:
        return text


def _show_page(page: PromptPage) -> None:
    if not page["prompts"]:
        output.say("No prompts yet. Register one: stepward prompts register my-prompt.yaml")
    else:
        table = output.table("prompt", "version", "description", "age", right=("age",))
        for one in page["prompts"]:
            cells = (one["id"], one["version"], one["description"], output.age(one["created_at"]))
            table.add_row(*(output.as_cell(cell) for cell in cells))
        output.show(table)
    output.more(page["next_cursor"])


def _show_versions(page: PromptVersions) -> None:
    table = output.table("version", "description", "age", right=("age",))
    for one in page["versions"]:
        cells = (one["version"], one["description"], output.age(one["created_at"]))
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)
    output.more(page["next_cursor"])


def _show_detail(detail: PromptDetail) -> None:
    label = detail["label"]["label"] if detail["label"] else None
    known = {"prompt": detail["id"], "version": detail["version"], "label": label}
    output.fields({**known, "registered": detail["created_at"], "by": detail["created_by"]})
    output.say("")
    output.say(write_yaml(detail["prompt"]))


def _show_text(rendered: RenderedPrompt) -> None:
    output.write_text(f"{rendered['text']}\n")


def _show_diff(found: PromptDiff) -> None:
    if not found["changed"]:
        output.say(f"{found['from']} and {found['to']} of {found['id']} say the same.")
        return
    if found["template"]:
        output.write_text(f"{found['template']}\n")
    for how, names in found["variables"].items():
        for name in names if isinstance(names, list) else []:
            output.say(f"variable {name}: {how}")
    others = [field for field in found["changed"] if field not in {"template", "variables"}]
    if others:
        output.say(f"other: {', '.join(others)}")
