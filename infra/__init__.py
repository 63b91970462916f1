"""Everything that turns the rooms and machines into AWS resources; a package so that the checkers can name its parts."""

from __future__ import annotations

from infra.node import use_bundled_node

# The CDK starts its node process on first use, so this has to happen before any module imports aws_cdk.
use_bundled_node()
