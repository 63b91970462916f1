"""A bucket's notifications are worded otherwise in a template than in the API."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


def as_in_the_api(properties: dict[str, Any]) -> dict[str, Any]:
    """Translate `NotificationConfiguration` of a template."""
    request: dict[str, Any] = {}
    for kind, (name, target, arn) in _KINDS.items():
        wishes = [_wish(wish, target, arn) for wish in properties.get(kind, [])]
        if wishes:
            request[name] = wishes
    to_bus = properties.get("EventBridgeConfiguration")
    if to_bus is not None and str(to_bus.get("EventBridgeEnabled", True)).lower() == "true":
        request["EventBridgeConfiguration"] = {}
    return request


def _wish(wish: dict[str, Any], target: str, arn: str) -> dict[str, Any]:
    translated: dict[str, Any] = {arn: wish[target], "Events": [wish["Event"]]}
    if "Filter" in wish:
        translated["Filter"] = {"Key": {"FilterRules": wish["Filter"]["S3Key"]["Rules"]}}
    return translated
