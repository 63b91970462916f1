"""Refuse what all of OpenAI's APIs refuse, in their words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from stepward.testing.fake_llm.answers import Answer, json_answer
from stepward.testing.fake_llm.known_models import KnownModels, ModelLimits
from stepward.testing.fake_llm.media import decoded, image_kind
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Kind, Refusal

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ERRORS: Final[dict[Kind, tuple[int, str, str | None]]] = {
    "invalid": (400, "invalid_request_error", None),
    "unauthorized": (401, "invalid_request_error", "invalid_api_key"),
    "quota": (429, "insufficient_quota", "insufficient_quota"),
    "forbidden": (403, "invalid_request_error", "unsupported_country_region_territory"),
    "missing": (404, "invalid_request_error", None),
    "conflict": (409, "invalid_request_error", None),
    "large": (413, "invalid_request_error", None),
    "throttled": (429, "requests", "rate_limit_exceeded"),
    "failed": (500, "server_error", "server_error"),
    "unavailable": (503, "service_unavailable_error", "server_error"),
    "late": (408, "timeout", None),
    "overloaded": (503, "service_unavailable_error", "server_is_overloaded"),
}


def error_body(refusal: Refusal) -> dict[str, Any]:
    """Format an error."""
    _, kind, code = _ERRORS[refusal.kind]
    said = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code or code}
    return {"error": said}


def error_answer(refusal: Refusal) -> Answer:
    """Answer with an error."""
    status, _, _ = _ERRORS[refusal.kind]
    return json_answer(error_body(refusal), status, refusal.headers)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the key of a request; refuse one without."""
    key = headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise Refusal(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth"
            " (i.e. Authorization: Bearer YOUR_KEY).",
            "unauthorized",
        )
    return key


def bad_key(key: str) -> Refusal:
    """Refuse an unknown key with a part of it in the message, as the vendor does.

    The product must not let that message into any log.
    """
    shown = f"{key[:7]}{'*' * max(0, len(key) - 11)}{key[-4:]}" if len(key) > 11 else key
    return Refusal(f"Incorrect API key provided: {shown}.", "unauthorized", code="invalid_api_key")


def check_fields(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse fields that the API does not know."""
    for name in body:
        if name not in known:
            raise Refusal(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    if not body.get("model"):
        raise Refusal("you must provide a model parameter")


def limits_of(models: KnownModels, body: Mapping[str, Any]) -> ModelLimits:
    """Return the model's limits, or refuse an unknown model."""
    limits = models.find("openai", str(body["model"]))
    if limits is None:
        raise Refusal(
            f"The model `{body['model']}` does not exist or you do not have access to it.",
            "missing",
            code="model_not_found",
        )
    if limits.dimensions:
        raise Refusal(
            "This is not a chat model and thus not supported in this endpoint.", "missing", param="model"
        )
    return limits


def check_length(body: Mapping[str, Any], field: str, limits: ModelLimits, least: int) -> int:
    """Return the longest reply; refuse one that is too short or too long."""
    most = body.get(field)
    if most is None:
        return limits.max_output_tokens
    if isinstance(most, bool) or not isinstance(most, int):
        raise Refusal(f"Invalid type for '{field}': expected an integer.", param=field, code="invalid_type")
    if most < least:
        raise Refusal(
            f"Invalid '{field}': integer below minimum value. Expected a value >= {least}, but got {most} instead.",
            param=field,
            code="integer_below_min_value",
        )
    if most > limits.max_output_tokens:
        raise Refusal(
            f"{field} is too large: {most}. This model supports at most {limits.max_output_tokens} completion tokens,"
            f" whereas you provided {most}.",
            param=field,
            code="invalid_value",
        )
    return most


def check_abilities(body: Mapping[str, Any], effort: str | None, param: str, limits: ModelLimits) -> None:
    """Refuse an effort or a temperature that the model does not support."""
    can = limits.capabilities
    if can is None:
        return
    efforts = [*(["none"] if "disabled" in can.thinking else []), *can.efforts]
    if effort is not None and effort not in efforts:
        listed = ", ".join(f"'{one}'" for one in efforts)
        raise Refusal(
            f"Unsupported value: '{effort}' is not supported with the '{body['model']}' model. Supported values are: {listed}.",
            param=param,
            code="unsupported_value",
        )
    for name in ("temperature", "top_p"):
        if body.get(name) is not None and not _takes_sampling(can.temperature, effort):
            raise Refusal(
                f"Unsupported parameter: '{name}' is not supported with this model.",
                param=name,
                code="unsupported_parameter",
            )


def _takes_sampling(when: str, effort: str | None) -> bool:
    return when == "always" or (when == "without_thinking" and effort == "none")


def check_function(function: Mapping[str, Any], place: str) -> None:
    """Refuse a function that no model could call."""
    name = str(function.get("name", ""))
    if not _NAME.fullmatch(name):
        raise Refusal(
            f"Invalid '{place}.name': string does not match pattern. Expected a string that matches the pattern"
            " '^[a-zA-Z0-9_-]+$'.",
            param=f"{place}.name",
            code="invalid_value",
        )
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    if schema.get("type") != "object":
        raise Refusal(
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got"
            f" 'type: \"{schema.get('type')}\"'.",
            param=f"{place}.parameters",
            code="invalid_function_parameters",
        )
    if function.get("strict"):
        check_strict(schema, f"function '{name}'", f"{place}.parameters", "invalid_function_parameters")


def check_strict(schema: Mapping[str, Any], what: str, param: str, code: str | None = None) -> None:
    """Refuse a schema that strict mode does not accept.

    It wants every object closed, and all of its properties required.
    """
    for path, node in _objects(schema):
        context = f"In context=({', '.join(repr(part) for part in path)}{',' if len(path) == 1 else ''})"
        if node.get("additionalProperties") is not False:
            detail = "'additionalProperties' is required to be supplied and to be false."
            raise Refusal(f"Invalid schema for {what}: {context}, {detail}", param=param, code=code)
        missing = sorted(set(node.get("properties", {})) - set(node.get("required", [])))
        if missing:
            detail = (
                "'required' is required to be supplied and to be an array including every key in properties."
                f" Missing '{missing[0]}'."
            )
            raise Refusal(f"Invalid schema for {what}: {context}, {detail}", param=param, code=code)


def _objects(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    ahead: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    while ahead:
        path, node = ahead.pop()
        if isinstance(node, dict):
            if node.get("type") == "object" or "properties" in node:
                yield path, node
            ahead += [((*path, name), child) for name, child in node.items() if name != "enum"]
        elif isinstance(node, list):
            ahead += [((*path, str(at)), child) for at, child in enumerate(node)]


def check_image_url(url: Any, param: str) -> None:
    """Refuse an image in the request itself that is none."""
    text = str(url or "")
    if text.startswith(("http://", "https://")):
        return
    head, comma, data = text.partition(";base64,")
    if not comma or image_kind(decoded(data, param)) != head.removeprefix("data:"):
        raise Refusal(
            "The image data you provided does not represent a valid image. Please check your input and try again with one of the"
            " supported image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
            param=param,
            code="invalid_image",
        )


def check_window(prompt: Prompt) -> None:
    """Refuse a prompt that is longer than the model's window."""
    if prompt.tokens > prompt.limits.context_tokens:
        raise Refusal(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            param="input",
            code="context_length_exceeded",
        )


def check_unique(names: Sequence[str], param: str) -> None:
    """Refuse tools with the same name."""
    if len(names) != len(set(names)):
        raise Refusal("Tool names must be unique.", param=param, code="invalid_value")
