"""The laptop's commands: `python -m infra.local up|demo|bench`. `stepward` and `make` call these in a checkout."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.local import stopping

DEFAULT_PORT = 8400
_LAST_PORT = 65_535


def parser() -> argparse.ArgumentParser:
    """Describe the three commands."""
    top = argparse.ArgumentParser(prog="python -m infra.local", description="Stepward on this machine.")
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="deploy to this machine and keep it running until Ctrl-C")
    up.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port of the HTTP API (default: %(default)s)"
    )
    up.add_argument("--aws-port", type=_port, default=0, help="port of the local AWS (default: a free one)")
    up.add_argument(
        "--tenant", default="acme", help="tenant of the API key that is made (default: %(default)s)"
    )
    up.add_argument("--state-dir", type=Path, help="where logs and laptop.json go (default: .stepward)")
    up.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep tables, objects, messages and runs in this folder (default: they go when the laptop stops)",
    )
    up.add_argument(
        "--debug",
        metavar="FUNCTION",
        help="run this function as one process to which a debugger can attach (debugpy), with its timeout off",
    )
    up.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        dest="settings",
        help="replace a field of infra/config/laptop.toml, such as http_allow='[\"http://127.0.0.1:9000\"]'",
    )
    up.add_argument(
        "--json", action="store_true", help="print one JSON object when it is ready, and nothing else"
    )
    demo = commands.add_parser("demo", help="answer a dozen support tickets, show results and cost, end")
    demo.add_argument(
        "--json", action="store_true", help="print one JSON document at the end, and nothing else"
    )
    demo.add_argument("--model", help="let this model answer in place of the rehearsal: an id or an alias")
    demo.add_argument(
        "--provider-url", metavar="URL", help="where to ask it (default: the vendor's own address)"
    )
    _describe_bench(commands.add_parser("bench", help="measure on a laptop of its own"))
    return top


def _describe_bench(bench: argparse.ArgumentParser) -> None:
    whats = bench.add_subparsers(dest="what", required=True)
    counts = whats.add_parser("counts", help="what one run takes of everything that is billed")
    counts.add_argument("--json", action="store_true", help="print JSON")
    faults = whats.add_parser("faults", help="whether runs survive deaths and faults; prints JSON")
    faults.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    faults.add_argument("--count", type=int, default=10_000, help="how many schedules (default: %(default)s)")
    faults.add_argument(
        "--kills", type=int, help="how many runs of each shape to kill (default: one at each place)"
    )
    faults.add_argument("--seed", type=int, help="replay the one schedule of this seed")
    faults.add_argument("--kill", metavar="SHAPE:WHEN:WRITE", help="make one kill, as in asks_one:before:4")
    load = whats.add_parser("load", help="what many clients at once see; prints JSON")
    load.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    load.add_argument("--clients", type=int, default=20, help="how many at once (default: %(default)s)")
    load.add_argument("--seconds", type=float, default=60, help="for how long (default: %(default)s)")
    _describe_imports(
        whats.add_parser("imports", help="what each function loads, and how large its package is")
    )
    queue = whats.add_parser(
        "run-queue", aliases=["line"], help="whether the run queue holds what it promises; prints JSON"
    )
    queue.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    queue.add_argument("--runs", type=int, default=500, help="how many start at once (default: %(default)s)")
    queue.add_argument("--slots", type=int, default=10, help="how many may be active (default: %(default)s)")
    models = whats.add_parser("models", help="what the platform adds to a model call; prints JSON")
    models.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    models.add_argument("--calls", type=int, default=30, help="how many pairs (default: %(default)s)")
    models.add_argument(
        "--latency-ms", type=float, default=100, help="how long the provider waits (default: %(default)s)"
    )
    prompts = whats.add_parser("prompts", help="how fast prompts render, and how often cached; prints JSON")
    prompts.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    prompts.add_argument("--renders", type=int, default=20_000, help="how many (default: %(default)s)")
    reload = whats.add_parser("reload", help="how soon an edit answers; prints JSON")
    reload.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    reload.add_argument("--times", type=int, default=5, help="how often (default: %(default)s)")
    laptop = whats.add_parser("laptop", help="what a Lambda task takes here and on plain moto; prints JSON")
    laptop.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    laptop.add_argument(
        "--executions", type=int, default=60, help="how many one by one (default: %(default)s)"
    )
    workflows = whats.add_parser("workflows", help="what graphs enter and whether tasks wait; prints JSON")
    workflows.add_argument("--json", action="store_true", help="taken as said: it is always JSON")
    workflows.add_argument(
        "--graphs",
        type=Path,
        metavar="DIR",
        help="a folder of graphs (default: seven that ship with the bench)",
    )


def _describe_imports(imports: argparse.ArgumentParser) -> None:
    imports.add_argument("--json", action="store_true", help="print JSON")
    imports.add_argument("--times", type=_count, default=3, help="how often each (default: %(default)s)")
    imports.add_argument(
        "--function",
        action="append",
        default=[],
        metavar="NAME",
        help="measure this one only; may be repeated",
    )
    imports.add_argument("--at-most", type=_ratio, metavar="RATIO", help="exit 1 where a function takes more")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text} is no port: give a number from 0 (a free one) to {_LAST_PORT}"
        )
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no count: give a whole number from 1")
    return int(text)


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no ratio: give a number above 0, as in 1.15")
    return ratio


def main(argv: Sequence[str]) -> int:
    """Run one command; a signal is heeded from the first moment on."""
    options = parser().parse_args(argv)
    return stopping.run(lambda: _command(options))


def _bench(options: argparse.Namespace) -> int:
    from infra.local.bench import (  # noqa: PLC0415
        counts,
        faults,
        imports,
        laptop,
        load,
        models,
        prompts,
        reload,
        run_queue,
        workflows,
    )

    benches: dict[str, Callable[[], int]] = {
        "counts": lambda: counts.counts(as_json=options.json),
        "faults": lambda: faults.faults(
            count=options.count, kills=options.kills, seed=options.seed, kill=options.kill
        ),
        "imports": lambda: imports.imports(
            as_json=options.json, times=options.times, at_most=options.at_most, only=options.function
        ),
        "laptop": lambda: laptop.laptop(executions=options.executions),
        "line": lambda: run_queue.run_queue(runs=options.runs, slots=options.slots),
        "run-queue": lambda: run_queue.run_queue(runs=options.runs, slots=options.slots),
        "load": lambda: load.load(clients=options.clients, seconds=options.seconds),
        "models": lambda: models.models(calls=options.calls, latency_ms=options.latency_ms),
        "prompts": lambda: prompts.prompts(renders=options.renders),
        "reload": lambda: reload.reload(times=options.times),
        "workflows": lambda: workflows.workflows(graphs=options.graphs),
    }
    return benches[options.what]()


def _command(options: argparse.Namespace) -> int:
    # Imported only now, because moto takes a second to load.
    if options.command == "demo":
        from infra.local import demo  # noqa: PLC0415

        return demo.run(as_json=options.json, model=options.model, provider_url=options.provider_url)
    if options.command == "bench":
        return _bench(options)
    from infra.local import provider_keys  # noqa: PLC0415
    from infra.local.laptop import LaptopOptions  # noqa: PLC0415
    from infra.local.up import STATE_DIR, up  # noqa: PLC0415

    state_dir = options.state_dir or STATE_DIR
    chosen = LaptopOptions(
        options.port,
        options.aws_port,
        options.tenant,
        state_dir=state_dir,
        data_dir=options.data,
        debug_function=options.debug,
        settings=tuple(options.settings),
        provider_keys=provider_keys.take(options.settings),
    )
    return up(chosen, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
