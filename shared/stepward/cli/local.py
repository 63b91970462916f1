"""Implement `stepward up`, `demo` and `bench`, which run the laptop in a checkout.

The laptop is not part of the wheel.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from stepward.cli.checkout import need_checkout, venv_python
from stepward.cli.exit_codes import EPILOG

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True}
More = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OPTIONS OF THE LAPTOP]...",
        help="Passed on to the laptop; see `-- --help`.",
        show_default=False,
    ),
]
Graphs = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="A folder of graphs; seven ship with the bench.", exists=True, show_default=False
    ),
]
UP_HELP = """Run the whole platform on this machine until Ctrl-C.

Synthesises the CDK app, deploys its template to a local cloud and serves the API on http://127.0.0.1:8400.
Every other command then finds it by itself. Edits of the sources are live in a moment. Works in a checkout only.

Examples:

  stepward up

  stepward up --json

  stepward up --data ./data

  stepward up --debug agent_advance

  stepward up -- --help
"""
DEMO_HELP = """Run the support agent over a dozen tickets on this machine, show the results, and stop.

Works in a checkout only. Exits 1 if a ticket fails.

Examples:

  stepward demo

  stepward demo --json
"""
COUNTS_HELP = """Count states, calls and units of four standard runs on a laptop of its own, on free ports.

Works in a checkout only.

Examples:

  stepward bench counts

  stepward bench counts --json
"""
FAULTS_HELP = """Play thousands of schedules of deaths and faults, and kill real processes around every write of runs of each shape.

Prints how many were tried, what did not hold with what replays it, and what went wrong how often. Exits 1 on a violation.
Works in a checkout only.

Examples:

  stepward bench faults --json

  stepward bench faults --count 100 --kills 2      a sample: two kills of each shape

  stepward bench faults --seed 4711      replay one schedule

  stepward bench faults --kill asks_one:before:4      replay one kill
"""
LOAD_HELP = """Run many clients that read, start and cancel, and check that nothing is refused or lost.

Works in a checkout only.

Examples:

  stepward bench load --json

  stepward bench load --clients 5 --seconds 10
"""
LINE_HELP = """Start many more runs than there are slots, and check the run queue by their journals.

Works in a checkout only.

Examples:

  stepward bench line --json

  stepward bench line --runs 60 --slots 4
"""
IMPORTS_HELP = """Import every function with its own packages alone, and see what it loads and how large it is.

Prints modules, processor time and its ratio to what boto3 with one client, pydantic and the logger take together in the
same run, bytes of the package before it is zipped, and which models' SDKs are loaded. Exits 1 where a function loads one
before a run needs it, or takes more than --at-most allows. Works in a checkout only.

Examples:

  stepward bench imports --json

  stepward bench imports --function runs_api --function workflows_api --times 10

  stepward bench imports --at-most 1.15
"""
MODELS_HELP = """Make the same model call by the platform and by the vendor's SDK alone, in turn, and compare them.

Both ask a provider on this machine that waits 100 ms before it answers. Prints medians and their ratio. Works in a
checkout only.

Examples:

  stepward bench models --json

  stepward bench models --calls 100 --latency-ms 50
"""
PROMPTS_HELP = """Render a mix of prompts through the caches, and compare with compiling and rendering each time.

Prints medians, their ratios and the hit rate. Works in a checkout only.

Examples:

  stepward bench prompts --json

  stepward bench prompts --renders 5000
"""
LAPTOP_HELP = """Run one machine of three Lambda tasks here and on plain moto, and compare what they take.

Prints the time of a task at the median and how many executions end per second. Works in a checkout only.

Examples:

  stepward bench laptop --json
"""
RELOAD_HELP = """Edit a copy of this checkout while it runs, and see how soon the edit answers, in seconds.

Works in a checkout only.

Examples:

  stepward bench reload --json
"""
WORKFLOWS_HELP = """Run graphs as workflows, count what they enter, and see whether a task waits for one that it does not need.

Prints JSON: entered states, and makespans in units of time beside the critical path. Exits 1 where they differ.
A folder of graphs has a .json file each: {"name": "two", "needs": {"a": [], "b": ["a"]}}. Works in a checkout only.

Examples:

  stepward bench workflows --json

  stepward bench workflows --json --graphs DIR
"""
bench_app = typer.Typer(no_args_is_help=True, help="Measure runs, functions and the laptop.", epilog=EPILOG)


def up(more: More = None) -> None:
    """Run the platform on this machine."""
    in_checkout("stepward up", "up", more or [])


def demo(more: More = None) -> None:
    """Run the demonstration on this machine."""
    in_checkout("stepward demo", "demo", more or [])


@bench_app.command("counts", help=COUNTS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def counts(more: More = None) -> None:
    """Count what standard runs take."""
    in_checkout("stepward bench counts", "bench", ["counts", *(more or [])])


@bench_app.command("faults", help=FAULTS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def faults(more: More = None) -> None:
    """Search for faults that runs do not survive."""
    in_checkout("stepward bench faults", "bench", ["faults", *(more or [])])


@bench_app.command("load", help=LOAD_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def load(more: More = None) -> None:
    """Measure the API under many clients."""
    in_checkout("stepward bench load", "bench", ["load", *(more or [])])


@bench_app.command("line", help=LINE_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def run_queue(more: More = None) -> None:
    """Fill the run queue."""
    in_checkout("stepward bench line", "bench", ["line", *(more or [])])


@bench_app.command("imports", help=IMPORTS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def imports(more: More = None) -> None:
    """Measure what functions load."""
    in_checkout("stepward bench imports", "bench", ["imports", *(more or [])])


@bench_app.command("models", help=MODELS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def models(more: More = None) -> None:
    """Compare model calls."""
    in_checkout("stepward bench models", "bench", ["models", *(more or [])])


@bench_app.command("prompts", help=PROMPTS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def prompts(more: More = None) -> None:
    """Compare renders of prompts."""
    in_checkout("stepward bench prompts", "bench", ["prompts", *(more or [])])


@bench_app.command("laptop", help=LAPTOP_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def laptop(more: More = None) -> None:
    """Compare the local cloud with plain moto."""
    in_checkout("stepward bench laptop", "bench", ["laptop", *(more or [])])


@bench_app.command("reload", help=RELOAD_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def reload(more: More = None) -> None:
    """Measure how soon an edit is live."""
    in_checkout("stepward bench reload", "bench", ["reload", *(more or [])])


@bench_app.command("workflows", help=WORKFLOWS_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)
def workflows(graphs: Graphs = None, more: More = None) -> None:
    """Count and time graphs."""
    # The laptop starts in the checkout's folder, so that a path has to be made whole here.
    folder = ["--graphs", str(graphs.resolve())] if graphs else []
    in_checkout("stepward bench workflows", "bench", ["workflows", *folder, *(more or [])])


def in_checkout(name: str, command: str, arguments: list[str]) -> None:
    """Replace this process by `python -m infra.local …` in the checkout.

    Ctrl-C and exit codes are then the laptop's own.
    """
    checkout = need_checkout(f"`{name}`")
    python = str(venv_python(checkout) or sys.executable)
    os.chdir(checkout)
    replace_process([python, "-m", "infra.local", command, *arguments])


def replace_process(argv: list[str]) -> NoReturn:
    """Replace this process; tests replace this function."""
    sys.stdout.flush()
    os.execv(argv[0], argv)  # noqa: S606  no shell is wanted


def attach(app: typer.Typer) -> None:
    """Put the commands on the app."""
    app.command("up", help=UP_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)(up)
    app.command("demo", help=DEMO_HELP, epilog=EPILOG, context_settings=PASS_THROUGH)(demo)
    app.add_typer(bench_app, name="bench")
