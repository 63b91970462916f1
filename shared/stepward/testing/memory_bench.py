"""Measure memory and processor time of the function that calls models.

Each case is a fresh process that loads the function and makes calls by a vendor's SDK to a provider on loopback:
`python -m stepward.testing.memory_bench`. A function's share of a processor grows with its memory, so a turn's own work
takes longer in a small one; it is compared with a model's wait of 3 s. Prints one JSON document.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.attachments import MOST_ALL_BYTES, Attachment
from stepward.domain.conversation import Exchange, ModelReply, ModelRequest, ToolCall, ToolResult, ToolSchema
from stepward.models import streams
from stepward.models.cards import listed_card
from stepward.models.gateway import Gateway, Providers
from stepward.ports.models import CallContext
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.testing.fake_llm import FakeProvider, Reply
from stepward.tools.large_results import shortened

MODELS: Final = {
    "anthropic": "claude-haiku-5-5",
    "openai": "gpt-6-luna",
    "bedrock": "bedrock/claude-sonnet-5-5",
}
SIZES_MB: Final = (256, 512, 768, 1_024, 1_769)
A_PROCESSOR_MB: Final = 1_769
MODEL_WAIT_MS: Final = 3_000
MOST_TURN_PART: Final = 0.05
MOST_PEAK_PART: Final = 0.5
"""What decides about a size: a warm turn's own work as a part of the wait, the highest peak as a part of the memory."""
_FUNCTION: Final = "functions.agent_advance.handler"
_MODULE: Final = "stepward.testing.memory_bench"
_TURNS: Final = 20
_LONG_TURNS: Final = 200
_RESULT_BYTES: Final = 100_000
_SHOWN: Final = 12
_PICTURE_BYTES: Final = 3_750_000
"""What every vendor takes of an image; four of them are all that a run may show."""
_FILES: Final = ":files"
_LARGE_KB: Final = 1_024
_CREDENTIALS: Final = {
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
}  # fmt: skip
"""What boto3 signs with; its calls go to the loopback."""
_LOOK_UP: Final = ToolSchema(name="look_up", description="Looks up.", parameters={"type": "object"})


def measure(cases: Sequence[str] = ()) -> dict[str, Any]:
    """Measure cases, each in a process of its own.

    Args:
        cases: Such as `anthropic`, `anthropic:long` and `anthropic:files`; none means all.

    Returns:
        `cases` with peak memory and processor time, `sizes` with what a turn's own work is beside a model's wait,
        and `recommended_mb` with the size that the rule gives, None where it gives none.
    """
    chosen = cases or [f"{kind}{more}" for kind in MODELS for more in ("", ":long", _FILES)]
    with FakeProvider(Reply(text="Done. " * 100, repeat=True).model_dump(exclude_none=True)) as provider:
        found = {case: _measured(case, provider.url) for case in chosen}
    sizes = _sizes(found)
    return {"cases": found, "sizes": sizes, "recommended_mb": recommended_mb(sizes)}


def recommended_mb(sizes: Mapping[str, Mapping[str, float]]) -> int | None:
    """Return the smallest size that neither slows a turn nor lacks memory.

    A turn's own work may take a twentieth of a model's wait, and the highest peak half of the memory.

    Args:
        sizes: By MB, `peak_part` of the memory and `turn_part_of_wait`, a warm turn's own work beside a wait of 3 s.

    Returns:
        The size in MB, or None if even the largest is too small.
    """
    fitting = (
        int(size)
        for size, parts in sizes.items()
        if parts["turn_part_of_wait"] <= MOST_TURN_PART and parts["peak_part"] <= MOST_PEAK_PART
    )
    return min(fitting, default=None)


def _sizes(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare each size with the highest peak, and a turn's own work with a model's wait."""
    peak_mb = max(one["peak_mb"] for one in found.values())
    cpu_ms = {
        "turn": max(one["turn_cpu_ms"] for case, one in found.items() if not case.endswith(_FILES)),
        "largest_turn": max(one["turn_cpu_ms"] for one in found.values()),
        "first_turn": max(one["first_cpu_ms"] for one in found.values()),
    }
    return {
        str(size): {"peak_part": round(peak_mb / size, 2)}
        | {
            f"{name}_part_of_wait": round(took_ms * A_PROCESSOR_MB / size / MODEL_WAIT_MS, 3)
            for name, took_ms in cpu_ms.items()
        }
        for size in SIZES_MB
    }


def _measured(case: str, url: str) -> dict[str, Any]:
    named = [f"{name}={value}" for name, value in _CREDENTIALS.items()]
    command = ["env", *named, sys.executable, "-m", _MODULE, case, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  our own module
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run_case(case: str, url: str) -> dict[str, Any]:
    """Load the function, make a case's calls, and measure this process."""
    kind, _, more = case.partition(":")
    began_s = time.process_time()
    import_module(_FUNCTION)
    loaded_s = time.process_time()
    ask = _asking(kind, url, more)
    ask()
    first_s = time.process_time()
    turns = 1 if more else _TURNS
    for _ in range(turns):
        ask()
    ended_s = time.process_time()
    streams.close()
    return {
        "peak_mb": round(_peak_mb(), 1),
        "load_cpu_ms": _ms(loaded_s - began_s),
        "first_cpu_ms": _ms(first_s - loaded_s),
        "turn_cpu_ms": _ms((ended_s - first_s) / turns),
    }


def _asking(kind: str, url: str, more: str) -> Callable[[], Any]:
    """Return the call of a case: plain, after a long conversation, or with large files."""
    gateway = _gateway(kind, url)
    call = CallContext(tenant="acme", name="bench:1")
    request = ModelRequest(model=MODELS[kind], prompt="Help.", input="Go on.", max_output_tokens=500)
    if more == "long":
        # A function reads the whole journal, and shows the model what fits its window.
        text = [one.model_dump_json() for one in map(_exchange, range(1, _LONG_TURNS + 1))]
        history = [Exchange.model_validate_json(one) for one in text]
        shown = tuple(_as_shown(one) for one in history[-_SHOWN:])
        fields = {"history": shown, "left_out": _LONG_TURNS - _SHOWN, "tools": (_LOOK_UP,)}
        request = request.model_copy(update=fields)
        return lambda: (gateway.reply(request, call), len(history), len(text))
    if more == "files":
        bodies = {f"{n}.png": _picture(n) for n in range(MOST_ALL_BYTES // _PICTURE_BYTES)}
        attachments = tuple(_attachment(key, body) for key, body in bodies.items())
        request = request.model_copy(update={"attachments": attachments})
        call = CallContext(tenant="acme", name="bench:1", attached=bodies)
    return lambda: gateway.reply(request, call)


def _exchange(turn: int) -> Exchange:
    call = ToolCall(id=f"call_{turn}_1", tool="look_up", arguments={"key": str(turn)})
    result = ToolResult(call=call.id, tool=call.tool, content={"text": f"{turn} " * (_RESULT_BYTES // 4)})
    return Exchange(reply=ModelReply(calls=(call,), stop="tools"), results=(result,))


def _as_shown(exchange: Exchange) -> Exchange:
    results = (
        one.model_copy(update={"content": shortened(one.content, "run_1/1")}) for one in exchange.results
    )
    return exchange.model_copy(update={"results": tuple(results)})


def _picture(number: int) -> bytes:
    head, tail = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82"
    return (head + bytes([number])).ljust(_PICTURE_BYTES - len(tail), b"\x00") + tail


def _attachment(key: str, body: bytes) -> Attachment:
    digest = sha256(body).hexdigest()
    return Attachment(key=key, media_type="image/png", size_bytes=len(body), sha256=digest)


def _gateway(kind: str, url: str) -> Gateway:
    addresses = {"anthropic": url, "openai": f"{url}/v1", "bedrock": url}
    entries = with_built_in(
        ProviderEntry.model_validate({"name": name, "kind": name, "base_url": base})
        for name, base in addresses.items()
    )
    pool = json.dumps({"keys": [{"id": "one", "value": "sk-bench-0123456789"}]})
    keys = MemoryProviderKeys(MemoryPools({f"{name}/shared": pool for name in addresses}))
    card = listed_card(MODELS[kind])
    if card is None:
        raise LookupError(f"{MODELS[kind]} is not listed")
    return Gateway([card], 500, Providers(entries, keys, SharedLimits(MemoryLimitStore(), StillClock())))


def _peak_mb() -> float:
    """Read this program's own peak: `getrusage` may report that of its parent."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) / _LARGE_KB


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 1)


def main(words: Sequence[str]) -> int:
    """Measure all cases, or run one case at an address."""
    found = run_case(*words) if words else measure()
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
