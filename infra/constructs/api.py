"""The front door is made from the functions' own lists of routes, so that a route and its handler cannot drift apart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import StageConfig
from infra.constructs import suppressions
from infra.constructs.stage import log_group
from infra.constructs.suppressions import arns_of
from infra.function_configs import FunctionConfig, ServedRoute, authorizer_of, served_routes
from infra.names import Arns

# The most that the HTTP API allows: a function's own timeout is shorter, and its start comes on top of that.
LONGEST_ANSWER_MS = 30_000

_ACCESS_LOG_FIELDS = {
    "request_id": "$context.requestId",
    "at": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "tenant": "$context.authorizer.tenant",
    "principal": "$context.authorizer.principal",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
}


class HttpApi(Construct):
    """One HTTP API for all functions: authorizer, limits and an access log."""

    def __init__(self, scope: Construct, functions: Sequence[FunctionConfig], config: StageConfig) -> None:
        super().__init__(scope, "HttpApi")
        self._config = config
        self._arns = arns_of(Stack.of(self), config.stage)
        self.resource = apigw.CfnApi(
            self,
            "Api",
            name=self._arns.names.of("api"),
            protocol_type="HTTP",
            description="Agents and workflows over HTTP",
            cors_configuration=_cors(config),
        )
        guard = self._authorizer(authorizer_of(functions))
        doors = {function.name: self._integration(function) for function in functions if function.all_routes}
        for route in served_routes(functions):
            self._route(route, doors[route.function], guard)
        self._stage()

    def _authorizer(self, function: FunctionConfig | None) -> apigw.CfnAuthorizer | None:
        """Ask the function on every request.

        Without an identity source it is asked even when no key is sent, so that the answer is a problem document
        and not the gateway's own; without a cache a revoked key stops working at once.
        """
        if function is None:
            return None
        authorizer = apigw.CfnAuthorizer(
            self,
            "Authorizer",
            api_id=self.resource.ref,
            name=self._arns.names.function(function.name),
            authorizer_type="REQUEST",
            authorizer_uri=_invocation_uri(self._arns, function.name),
            authorizer_payload_format_version="2.0",
            authorizer_result_ttl_in_seconds=0,
            enable_simple_responses=True,
        )
        self._permission(function, f"authorizers/{authorizer.ref}")
        return authorizer

    def _integration(self, function: FunctionConfig) -> apigw.CfnIntegration:
        self._permission(function, "*")
        return apigw.CfnIntegration(
            self,
            f"{function.pascal_name}Integration",
            api_id=self.resource.ref,
            integration_type="AWS_PROXY",
            integration_uri=self._arns.function(function.name),
            payload_format_version="2.0",
            timeout_in_millis=LONGEST_ANSWER_MS,
        )

    def _permission(self, function: FunctionConfig, source: str) -> None:
        arns = self._arns
        lambda_.CfnPermission(
            self,
            f"{function.pascal_name}Permission",
            action="lambda:InvokeFunction",
            function_name=arns.function(function.name),
            principal="apigateway.amazonaws.com",
            source_arn=f"arn:{arns.partition}:execute-api:{arns.region}:{arns.account}:{self.resource.ref}/{source}",
        )

    def _route(
        self, route: ServedRoute, integration: apigw.CfnIntegration, guard: apigw.CfnAuthorizer | None
    ) -> None:
        is_guarded = guard is not None and not route.is_open
        resource = apigw.CfnRoute(
            self,
            _logical_name(route.key),
            api_id=self.resource.ref,
            route_key=route.key,
            target=f"integrations/{integration.ref}",
            authorization_type="CUSTOM" if is_guarded else "NONE",
            authorizer_id=guard.ref if guard is not None and is_guarded else None,
        )
        if not is_guarded:
            suppressions.OPEN_ROUTE.on(resource)

    def _stage(self) -> None:
        logs = log_group(self, f"/aws/vendedlogs/http/{self._arns.names.of('api')}", self._config)
        apigw.CfnStage(
            self,
            "Stage",
            api_id=self.resource.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
                destination_arn=logs.attr_arn, format=json.dumps(_ACCESS_LOG_FIELDS)
            ),
            default_route_settings=apigw.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=self._config.throttle_rate_per_s,
                throttling_burst_limit=self._config.throttle_burst,
            ),
        )


def _cors(config: StageConfig) -> apigw.CfnApi.CorsProperty | None:
    """Let only the stage's web pages call from a browser; without origins no page may."""
    if not config.cors_origins:
        return None
    return apigw.CfnApi.CorsProperty(
        allow_origins=list(config.cors_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["authorization", "content-type", "idempotency-key", "x-api-key"],
        expose_headers=["location", "retry-after"],
        max_age=3600,
    )


def _invocation_uri(arns: Arns, function: str) -> str:
    service = f"arn:{arns.partition}:apigateway:{arns.region}:lambda:path/2015-03-31"
    return f"{service}/functions/{arns.function(function)}/invocations"


def _logical_name(route_key: str) -> str:
    """Name a route's resource after the route, so that a diff of templates can be read."""
    if route_key == "$default":
        return "AnyOtherRoute"
    words = re.findall(r"[A-Za-z0-9]+", route_key)
    return "".join(word[:1].upper() + word[1:].lower() for word in [*words, "Route"])
