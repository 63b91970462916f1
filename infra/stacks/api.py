"""The front door opens last: when it is deployed, everything behind it is there."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnOutput
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.api import HttpApi
from infra.function_configs import FunctionConfig
from infra.stacks.base import StageStack


class ApiStack(StageStack):
    """The HTTP API, with its address as the one output that people need."""

    def __init__(self, scope: Construct, rooms: Sequence[FunctionConfig], config: StageConfig) -> None:
        super().__init__(scope, "api", config)
        api = HttpApi(self, rooms, config)
        CfnOutput(
            self, "ApiUrl", value=api.resource.attr_api_endpoint, description="Where the HTTP API answers"
        )
