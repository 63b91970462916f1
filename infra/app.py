"""The one command that writes what is deployed: `python -m infra.app`, which is also what `cdk deploy` runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.bundling import Bundler, Checkout, source_bundler
from infra.config import load_config, stages
from infra.config_errors import DefinitionError

ROOT = Path(__file__).parent.parent


def arguments(argv: Sequence[str], context: dict[str, Any]) -> argparse.Namespace:
    """Read the options; those left open come from the CDK's context.

    So `cdk deploy -c stage=prod` works.
    """
    parser = argparse.ArgumentParser(
        prog="python -m infra.app", description="Write the cloud assembly, without AWS."
    )
    parser.add_argument("--stage", default=context.get("stage", "dev"), help=f"one of {', '.join(stages())}")
    parser.add_argument(
        "--bundle",
        choices=("source", "package"),
        default=context.get("bundle", "package"),
        help="source: functions and the package only; package: with their pinned dependencies, ready for Lambda",
    )
    parser.add_argument("--out", type=Path, help="where to write, cdk.out if not said")
    parser.add_argument(
        "--nag", action="store_true", help="check every resource against cdk-nag's rules, and fail"
    )
    parser.add_argument(
        "--fast", action="store_true", help="skip the CDK's own validation, as the laptop does"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        dest="settings",
        help="replace a field of the stage's settings, its value written as in TOML; may be repeated",
    )
    return parser.parse_args(argv)


def command_context() -> dict[str, Any]:
    """Read what the CDK's command line hands to the app; empty when it does not run us."""
    context: dict[str, Any] = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    return context


def bundler(kind: str, checkout: Checkout) -> Bundler:
    """Choose how assets are made; packing is imported only when it is wanted."""
    if kind == "source":
        return source_bundler(checkout)
    from infra.packing import package_bundler  # noqa: PLC0415

    return package_bundler(checkout)


def run(argv: Sequence[str]) -> Path:
    """Synthesise what the arguments ask for."""
    context = command_context()
    options = arguments(argv, context)
    config = load_config(options.stage, settings=options.settings)
    if options.fast:
        os.environ["CDK_VALIDATION"] = "false"
    # Loading the CDK takes seconds; a misspelt stage should not have to wait for it.
    from infra.assembly import Plan, feature_flags, synthesise  # noqa: PLC0415

    checkout = Checkout.at(ROOT)
    out = options.out or (None if "CDK_OUTDIR" in os.environ else ROOT / "cdk.out")
    plan = Plan(
        checkout=checkout,
        config=config,
        bundle=bundler(options.bundle, checkout),
        out=out,
        is_nagged=options.nag,
        context=feature_flags(ROOT) | context,
    )
    return synthesise(plan)


def main() -> int:
    """Run the app; a mistake in a file of ours is one line, a bug keeps its trace."""
    try:
        out = run(sys.argv[1:])
    except DefinitionError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except RuntimeError as error:
        # What the CDK found wrong reaches Python under no narrower type; it has printed its report already.
        if not str(error).startswith("ValidationFailed"):
            raise
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"Wrote {out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
