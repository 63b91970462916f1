"""The laptop's commands: `python -m infra.local up|demo|bench`. `stepward` and `make` call these in a checkout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
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
    bench = commands.add_parser("bench", help="measure on a laptop of its own")
    bench.add_argument(
        "what", choices=["counts"], help="counts: what one run takes of everything that is billed"
    )
    bench.add_argument("--json", action="store_true", help="print JSON")
    return top


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text} is no port: give a number from 0 (a free one) to {_LAST_PORT}"
        )
    return int(text)


def main(argv: Sequence[str]) -> int:
    """Run one command; a signal is heeded from the first moment on."""
    options = parser().parse_args(argv)
    return stopping.run(lambda: _command(options))


def _command(options: argparse.Namespace) -> int:
    # Imported only now, because moto takes a second to load.
    if options.command == "demo":
        from infra.local import demo  # noqa: PLC0415

        return demo.run(as_json=options.json)
    if options.command == "bench":
        from infra.local import bench  # noqa: PLC0415

        return bench.counts(as_json=options.json)
    from infra.local.laptop import LaptopOptions  # noqa: PLC0415
    from infra.local.up import STATE_DIR, up  # noqa: PLC0415

    state_dir = options.state_dir or STATE_DIR
    chosen = LaptopOptions(options.port, options.aws_port, options.tenant, state_dir=state_dir)
    return up(chosen, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
