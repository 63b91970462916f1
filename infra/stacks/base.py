"""What all stacks have in common is said once: names, place, tags, and no resource that only the CDK would want."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from infra.config import StageConfig
from infra.names import Names


class StageStack(Stack):
    """One part of one stage. Stacks know each other's resources by name, so none exports anything to another."""

    def __init__(
        self, scope: Construct, part: str, config: StageConfig, *, termination_protection: bool = False
    ) -> None:
        name = Names(config.stage).of(part)
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=Environment(account=config.account, region=config.region),
            tags={"stepward:stage": config.stage, "stepward:part": part},
            analytics_reporting=False,
            # The deploying command checks the bootstrap version; the template need not read a parameter for it.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=termination_protection,
        )
