"""Bedrock's Converse API on the wire: requests as it takes them, and its errors as faults."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EventStreamError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from stepward.domain.attachments import Attachment
from stepward.domain.conversation import ModelRequest, OpaquePart, ToolCall, ToolResult
from stepward.domain.errors import (
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderRefused,
    ProviderUnavailable,
)
from stepward.models.anthropic import thinking_of
from stepward.models.messages import Message, TextBlock, arguments_of, conversation, result_text
from stepward.models.provider_faults import ErrorResponse, fault_of, unreachable
from stepward.models.strict_schemas import closed
from stepward.ports.models import CallContext

VENDOR: Final = "bedrock"
_REGION: Final = re.compile(r"^(us|eu|apac|jp|au|global)\.")
_KNOW_ERRORS: Final = frozenset({"anthropic", "amazon"})
"""Makers whose models read a result's status `error`; others refuse the field."""


def maker_of(vendor_model: str) -> str:
    """Return the maker of a model, by its id.

    What one maker's models thought means nothing to another's.
    """
    return _REGION.sub("", vendor_model.rpartition("/")[2]).partition(".")[0]


def request_body(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write a request whose unchanging part stays equal to the byte between turns.

    Args:
        request: The call to make.
        call: The model's id at Bedrock, and what it can be asked for.

    Returns:
        The arguments of `converse_stream`.
    """
    model = call.vendor_model or request.model
    point = _cache_point(request, call)
    messages = [_message(message, maker_of(model), call) for message in conversation(request, VENDOR)]
    body: dict[str, Any] = {
        "modelId": model,
        "messages": messages,
        "inferenceConfig": {"maxTokens": request.max_output_tokens},
    }
    if request.prompt.strip():
        body["system"] = [{"text": request.prompt}, *point]
    if tools := _tools(request):
        body["toolConfig"] = {"tools": tools}
        messages[-1]["content"] += point  # the next turn begins with all of this one
    return _with_options(body, request, call)


def _with_options(body: dict[str, Any], request: ModelRequest, call: CallContext) -> dict[str, Any]:
    options, can = request.options, call.capabilities
    if options.temperature is not None and can.temperature != "never":
        body["inferenceConfig"]["temperature"] = options.temperature
    output: dict[str, Any] = {"effort": options.effort} if options.effort else {}
    if request.output_schema and can.structured_output:
        schema = {"name": "output", "schema": json.dumps(closed(request.output_schema))}
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    if output:
        body["outputConfig"] = output
    if options.thinking is not None:
        body["additionalModelRequestFields"] = {
            "thinking": thinking_of(request, call, wanted=options.thinking)
        }
    return body


def _cache_point(request: ModelRequest, call: CallContext) -> list[dict[str, Any]]:
    wanted = request.options.cache
    if wanted == "off" or wanted not in call.capabilities.cache_ttls:
        return []
    return [{"cachePoint": {"type": "default"} | ({} if wanted == "5m" else {"ttl": wanted})}]


def _tools(request: ModelRequest) -> list[dict[str, Any]]:
    offered = [_spec(tool.name, tool.description, tool.parameters) for tool in request.tools]
    if offered:
        return offered
    # A history with calls is refused without tools, so those that it names are named here too.
    called = dict.fromkeys(call.tool for exchange in request.history for call in exchange.reply.calls)
    return [_spec(name, "Can no longer be called.", {"type": "object"}) for name in called]


def _spec(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    spec = {"name": name, "inputSchema": {"json": parameters}}
    return {"toolSpec": {**spec, "description": description} if description.strip() else spec}


def _message(message: Message, asked: str, call: CallContext) -> dict[str, Any]:
    blocks = (
        _file(block, at, call) if isinstance(block, Attachment) else _block(block, asked)
        for at, block in enumerate(message.blocks, start=1)
    )
    return {"role": message.role, "content": [block for block in blocks if block]}


def _file(attachment: Attachment, at: int, call: CallContext) -> dict[str, Any]:
    said = {"format": attachment.ending, "source": {"bytes": call.attached[attachment.key]}}
    if attachment.is_image:
        return {"image": said}
    # A name may have letters, digits, hyphens and single spaces only, and must be another one for each document.
    return {"document": {**said, "name": f"attachment {at}"}}


def _block(block: TextBlock | ToolCall | ToolResult | OpaquePart, asked: str) -> dict[str, Any] | None:
    match block:
        case TextBlock():
            return {"text": block.text}
        case ToolCall():
            return {"toolUse": {"toolUseId": block.id, "name": block.tool, "input": arguments_of(block)}}
        case ToolResult():
            # A blank text is refused; as JSON it says that there is none.
            text = result_text(block) if result_text(block).strip() else json.dumps(block.content)
            said: dict[str, Any] = {"toolUseId": block.call, "content": [{"text": text}]}
            if block.error and asked in _KNOW_ERRORS:
                said["status"] = "error"
            return {"toolResult": said}
        case OpaquePart():
            return _thought(block.data, asked)


def _thought(data: dict[str, Any], asked: str) -> dict[str, Any] | None:
    """Write a model's reasoning, for models of the same maker.

    What is not signed, no model takes back.
    """
    if data.get("maker") != asked:
        return None
    if "redacted" in data:
        return {"reasoningContent": {"redactedContent": b64decode(data["redacted"])}}
    if not data.get("signature"):
        return None
    text = {"text": data.get("text", ""), "signature": data["signature"]}
    return {"reasoningContent": {"reasoningText": text}}


_STATUS: Final[Mapping[str, int]] = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
    "ValidationException": 400,
}


"""The status of an error within a stream, which has begun with 200."""
_MODEL_FAILED: Final = 424
_ROLE: Final = (
    "the operator lets the function's role call bedrock:InvokeModelWithResponseStream on the model and its"
    " inference profile, and asks for access to the model in Bedrock's console"
)


def fault_of_error(error: ClientError, call: CallContext) -> ProviderFault:
    """Translate an error that came in place of a stream or within one."""
    answered = _answered(error, call)
    kind, status, message = answered.kind, answered.status, answered.message
    where = f"{kind or status}" + (f", request {answered.request_id}" if answered.request_id else "")
    if status in (401, 403):
        # Messages about signatures repeat what was signed, so only the one about permissions is shown.
        why = f": {message}" if kind == "AccessDeniedException" else ""
        return KeyRefused(
            f"{call.provider} does not let this function call {call.vendor_model} ({where}){why}", fix=_ROLE
        )
    if kind == "ValidationException" and "model identifier is invalid" in message:
        return ModelUnknown(
            f"{call.provider} has no model {call.vendor_model!r} in this region ({where}).",
            field="model",
            fix="GET /models lists those that are known",
        )
    if kind == "ServiceQuotaExceededException":
        return ProviderRefused(
            f"{call.provider} allows no more ({where}): {message}",
            fix="the account's owner asks Service Quotas for more of Bedrock",
        )
    if status == _MODEL_FAILED:
        return ProviderUnavailable(f"{call.vendor_model} failed ({where}): {message}")
    if "maximum tokens you requested" in message:  # the answer's length, which no shorter prompt changes
        return ProviderRefused(
            f"{call.provider} answered ({where}): {message}",
            field="max_output_tokens",
            fix="ask for a shorter answer",
        )
    return fault_of(answered)


def connection_fault(error: BotoCoreError, call: CallContext) -> ProviderFault:
    """Translate an error of the connection: the call was not made, or no answer came."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return KeyMissing(
                f"there are no AWS credentials for {call.provider!r}.", field="model", fix=_ROLE
            )
        case NoRegionError():
            return ProviderRefused(
                f"no AWS region is set for {call.provider!r}.", fix="set AWS_DEFAULT_REGION"
            )
        case ParamValidationError():
            return ProviderRefused(f"{call.provider} does not take this request: {_line(str(error))}")
    return unreachable(call.provider, f"{type(error).__name__}: {error}")


def _answered(error: ClientError, call: CallContext) -> ErrorResponse:
    said, meta = error.response.get("Error") or {}, error.response.get("ResponseMetadata") or {}
    name = str(said.get("Code") or "")
    kind = name[:1].upper() + name[1:]  # within a stream its first letter is small
    headers: Mapping[str, Any] = meta.get("HTTPHeaders") or {}
    return ErrorResponse(
        provider=call.provider,
        status=_STATUS.get(kind) if isinstance(error, EventStreamError) else meta.get("HTTPStatusCode"),
        kind="" if kind.isdigit() else kind,  # without a name it is the status
        message=_line(str(said.get("Message") or "")),
        headers={key.lower(): str(value) for key, value in headers.items()},
        model=call.vendor_model,
        request_id=meta.get("RequestId"),
    )


def _line(message: str) -> str:
    if "<html" in message.lower():
        return "a page of HTML where JSON should be"
    return " ".join(message.split())[:300]
