"""Turns the folders of this repository into one CDK app, the same for the cloud, the laptop and the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from aws_cdk import App, Aspects, Stack, Validations

from infra.bundling import Bundler, Checkout
from infra.config import StageConfig
from infra.constructs.grants import grant_words
from infra.constructs.idle_aspect import NothingCostsWhileIdle
from infra.function_configs import load_functions
from infra.idle_costs import refuse_idle_costs
from infra.machines import machine_files
from infra.stacks import ApiStack, DataStack, FunctionsStack, MachinesStack, QueuesStack


@dataclass(frozen=True)
class Plan:
    """What to synthesise: functions, stage, bundling, and whether all rules are checked."""

    checkout: Checkout
    config: StageConfig
    bundle: Bundler
    out: Path | None = None
    is_nagged: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)


def feature_flags(root: Path) -> dict[str, Any]:
    """Return the CDK's context, so that a plain synthesis and `cdk deploy` agree."""
    file = root / "cdk.json"
    if not file.is_file():
        return {}
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    context: dict[str, Any] = document.get("context", {})
    return context


def build_app(plan: Plan) -> App:
    """Make the stacks in deployment order; each waits for those whose resources it names."""
    out = str(plan.out) if plan.out else None
    app = App(outdir=out, context=dict(plan.context), tree_metadata=False)
    machines = machine_files(plan.checkout.statemachines)
    functions = load_functions(plan.checkout.functions, grant_words(machines), machines)
    tool_folders = [function.name for function in functions if function.tools]
    words = grant_words(machines, tool_folders, plan.config.lambda_tools)
    queued = [function for function in functions if function.queue or function.keeps_failures]
    stacks: list[Stack] = [DataStack(app, plan.config)]
    if queued:
        stacks.append(QueuesStack(app, queued, plan.config))
    stacks.append(FunctionsStack(app, functions, words, plan.bundle, plan.config))
    stacks.append(MachinesStack(app, machines, functions, plan.config))
    stacks.append(ApiStack(app, functions, plan.config))
    for earlier, later in pairwise(stacks):
        later.add_stack_dependency(earlier)
    Aspects.of(app).add(NothingCostsWhileIdle(plan.config))
    if plan.is_nagged:
        _check_all_rules(app)
    return app


def _check_all_rules(app: App) -> None:
    """Run cdk-nag's packs over the app; it is imported here because loading it takes a second."""
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks  # noqa: PLC0415

    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def synthesise(plan: Plan) -> Path:
    """Write the cloud assembly and say where it is."""
    assembly = Path(build_app(plan).synth().directory)
    refuse_idle_costs(assembly, plan.config)
    return assembly
