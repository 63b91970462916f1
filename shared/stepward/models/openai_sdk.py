"""What OpenAI's two protocols share: the client, the options, and the count of tokens."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from stepward.domain.conversation import ModelRequest, ToolSchema
from stepward.domain.money import Usage
from stepward.models.sdk_calls import CONNECT_S, Reading, SdkCall, keyed_client
from stepward.models.strict_schemas import allows_strict, closed
from stepward.models.token_counts import reported_tokens
from stepward.ports.models import CallContext

if TYPE_CHECKING:
    from openai import AsyncOpenAI

VENDOR: Final = "openai"
_DEFAULT_EFFORT: Final = "medium"


def client_for(call: CallContext) -> AsyncOpenAI:
    """Return the client of a call's provider and key.

    It neither retries nor follows redirects by itself.

    Raises:
        KeyMissing: No key is set.
    """
    # Loaded by the first call of this provider alone.
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout  # noqa: PLC0415

    from stepward.models.bounded_http import bounded_options  # noqa: PLC0415

    def make(key: str) -> AsyncOpenAI:
        url = call.access.url or "https://api.openai.com/v1"
        return AsyncOpenAI(
            api_key=key,
            base_url=url,
            max_retries=0,
            timeout=Timeout(None, connect=CONNECT_S),
            http_client=DefaultAsyncHttpxClient(**bounded_options()),
        )

    return keyed_client(VENDOR, call, make)


def begun(request: ModelRequest, call: CallContext, opening: Awaitable[Any], reading: Reading) -> SdkCall:
    """Build a call of either protocol."""
    import openai  # noqa: PLC0415

    return SdkCall(openai, "x-request-id", request, call, opening, reading)


def effort_of(request: ModelRequest, call: CallContext) -> str | None:
    """Return the reasoning effort, which is how OpenAI turns thinking on and off.

    Returns:
        None leaves it to the model, and is for models that do not reason.
    """
    options, can = request.options, call.capabilities
    if not can.thinks:
        return None
    if options.thinking is False and can.can_stop_thinking:
        return "none"
    if options.effort in can.efforts:
        return options.effort
    # Some models do not reason unless an effort is given.
    return _DEFAULT_EFFORT if options.thinking and can.can_stop_thinking else None


def sampling(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write the temperature where the model takes it."""
    takes, wanted = call.capabilities.temperature, request.options.temperature
    is_taken = takes == "always" or (takes == "without_thinking" and request.options.thinking is False)
    return {"temperature": wanted} if wanted is not None and is_taken else {}


def caching(request: ModelRequest, call: CallContext) -> dict[str, Any]:
    """Write how the prompt is to be cached.

    OpenAI caches by itself. The key routes calls whose prompts begin alike to the same cache; it contains the tenant, so
    that no other tenant can infer from a quick answer what was asked.
    """
    wanted, can = request.options.cache, call.capabilities
    if wanted == "off":
        return {"prompt_cache_options": {"mode": "explicit"}} if can.cache_off else {}
    if not can.cache_ttls:
        return {}
    beginning = json.dumps([call.tenant, request.prompt, [tool.name for tool in request.tools]])
    found: dict[str, Any] = {"prompt_cache_key": sha256(beginning.encode()).hexdigest()[:32]}
    if wanted == "1h" and "1h" in can.cache_ttls:
        found["prompt_cache_options"] = {"ttl": "12h"}  # half an hour and twelve are what there is
    return found


def function_of(tool: ToolSchema, call: CallContext) -> dict[str, Any]:
    """Write a tool, strict only where the model and the tool's schema allow it.

    The call would be refused else.
    """
    said = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {**said, "strict": call.capabilities.structured_output and allows_strict(tool.parameters)}


def format_of(request: ModelRequest) -> dict[str, Any]:
    """Write the schema of the answer."""
    schema = closed(request.output_schema or {})
    return {"name": "answer", "schema": schema, "strict": allows_strict(schema)}


def usage_of(prompt_tokens: Any, output_tokens: Any, of_prompt: Any, of_output: Any) -> Usage:
    """Read a count of tokens.

    OpenAI counts tokens that its cache gave and took as a part of the prompt, and we apart from it.

    Args:
        prompt_tokens: All that the model read.
        output_tokens: All that it wrote.
        of_prompt: How the first splits; compatible servers may leave out any of it.
        of_output: How the second does.
    """
    prompt, output = reported_tokens(prompt_tokens), reported_tokens(output_tokens)
    read = min(prompt, _count(of_prompt, "cached_tokens"))
    written = min(prompt - read, _count(of_prompt, "cache_write_tokens"))
    long = min(written, _count(getattr(of_prompt, "cache_write_tokens_details", None), "ttl_12h_tokens"))
    return Usage(
        input_tokens=prompt - read - written,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written - long,
        cache_write_1h_tokens=long,
        reasoning_tokens=min(output, _count(of_output, "reasoning_tokens")),
    )


def _count(details: Any, name: str) -> int:
    return reported_tokens(getattr(details, name, None))
