"""Implement `stepward data`, and upload the datasets beside a workflow's file."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from stepward.cli import options, output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.options import CursorOption, LimitOption
from stepward.domain.data_paths import MOST_WRITTEN_BYTES
from stepward.sdk import ApiError, Stepward
from stepward.sdk.data import DataFilePage, WrittenFile

app = typer.Typer(no_args_is_help=True, help="List, read and write the tenant's data files.", epilog=EPILOG)
KeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="Its path within the tenant's data, such as datasets/orders.csv.",
        autocompletion=options.complete_files,
    ),
]
LS_HELP = """List data files by key.

Examples:

  stepward data ls

  stepward data ls datasets/ --json | jq -r '.files[].key'
"""
GET_HELP = """Write a data file to standard output, or to a file with --out.

Examples:

  stepward data get datasets/orders.csv

  stepward data get datasets/orders.csv --out orders.csv
"""
PUT_HELP = """Write a data file, replacing what was there; a trigger on its prefix fires.

Examples:

  stepward data put datasets/orders.csv orders.csv

  stepward data put inbox/1.json order.json
"""


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(
    prefix: Annotated[str | None, typer.Argument(help="Only keys with this prefix.")] = None,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List data files."""
    with connect(url, key) as stepward:
        page = stepward.data.list(prefix, limit=limit, cursor=cursor)
    output.answer(page, _show_page, as_json=as_json)


@app.command("get", help=GET_HELP, epilog=EPILOG)
def get(
    name: KeyArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file. Default: standard output.")
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Write a data file's bytes as they are."""
    with connect(url, key) as stepward:
        body = stepward.data.read(name)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(body)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}.", "Check the path.") from error
    output.say(f"{out}: {output.plural(len(body), 'byte')}.")


@app.command("put", help=PUT_HELP, epilog=EPILOG)
def put(
    name: KeyArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to upload.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a data file."""
    body = read_bytes(file)
    with connect(url, key) as stepward:
        written = stepward.data.write(name, body, content_type_of(file))
    output.answer(written, _show_written, as_json=as_json)


def read_bytes(file: Path) -> bytes:
    """Read a file that is sent whole.

    Raises:
        InputError: It cannot be read, or has more than 4,000,000 bytes.
    """
    try:
        body = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.", "Check the path.") from error
    if len(body) > MOST_WRITTEN_BYTES:
        raise InputError(
            f"{file} has {len(body):,} bytes; {MOST_WRITTEN_BYTES:,} can be sent.",
            "Upload it to the data bucket.",
        )
    return body


def content_type_of(file: Path) -> str:
    """Return a file's media type by its ending."""
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _show_written(written: WrittenFile) -> None:
    output.say(f"{written['key']}: {output.plural(written['size_bytes'], 'byte')}.", style="green")


def _show_page(page: DataFilePage) -> None:
    if not page["files"]:
        output.say("No such files. Put one: stepward data put datasets/orders.csv orders.csv")
        return
    table = output.table("key", "bytes", "age", right=("bytes", "age"))
    for file in page["files"]:
        cells = (file["key"], f"{file['size_bytes']:,}", output.age(file["changed_at"]))
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)
    output.more(page["next_cursor"])


FOLDER: Final = "datasets"
_NOT_FOUND: Final = 404


def put_datasets(stepward: Stepward, given: str, *, as_json: bool) -> list[str]:
    """Upload changed files of the folder `datasets` beside a workflow's file.

    Args:
        stepward: The client.
        given: The workflow's file; standard input has no folder beside it.
        as_json: Print nothing about it.

    Returns:
        The keys that were written.
    """
    folder = Path(given).parent / FOLDER
    if given == "-" or not folder.is_dir():
        return []
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    written = [key for file in found if (key := _put(stepward, file))]
    if written and not as_json:
        output.say(f"Put into the tenant's data: {', '.join(written)}", style="dim")
    return written


def _put(stepward: Stepward, file: Path) -> str | None:
    """Upload one file; None if it is unchanged, or too large for the API."""
    key, body = f"{FOLDER}/{file.name}", file.read_bytes()
    if len(body) > MOST_WRITTEN_BYTES:
        output.print_error(
            f"{file} has more than {MOST_WRITTEN_BYTES:,} bytes: copy it into the data bucket yourself."
        )
        return None
    if _kept(stepward, key) == body:
        return None
    stepward.data.write(key, body, content_type_of(file))
    return key


def _kept(stepward: Stepward, key: str) -> bytes | None:
    try:
        return stepward.data.read(key)
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
