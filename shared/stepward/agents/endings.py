"""Decide what follows a model's reply: the end, its calls, or a turn with a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import Exchange, ModelReply, TextPart
from stepward.domain.errors import (
    ContentFiltered,
    ContextTooLong,
    ModelRefused,
    OutputEmpty,
    OutputInvalid,
    OutputMalformed,
    OutputTruncated,
)
from stepward.domain.journal import End
from stepward.domain.json_schemas import faults_of_value
from stepward.domain.json_text import NotJson, carried_bytes, read_json
from stepward.domain.runs import RunError, RunStatus

REPLY_LIMIT_BYTES: Final = 2_000_000
"""With an input of 3 MB the run still fits into one answer of a Lambda function, which has 6 MB at most."""
MOST_REPAIRS: Final = 2
"""How often in a row a model is asked to correct its answer before the run ends."""
MOST_REPAIRS_OF_RUN: Final = 10
"""How often in a run, whatever calls it makes in between."""
_MOST_FAULTS: Final = 5
_FENCE: Final = "```"
_EMPTY: Final = "Your last answer was empty. Answer now, or call a tool."
NAMED_STOPS: Final = {
    "refused": (ModelRefused, "the model declined to answer."),
    "filtered": (ContentFiltered, "the provider's content filter held the answer back."),
    "context": (ContextTooLong, "the conversation has filled the model's context window."),
    "length": (
        OutputTruncated,
        "the reply was cut at `limits.max_output_tokens`; raise it, or ask for less at once.",
    ),
}
"""Why a reply ended → how the run ends."""


@dataclass(frozen=True)
class TurnOutcome:
    """A reply as it is recorded, with the run's end or a note to the model for its next turn."""

    reply: ModelReply
    end: End | None = None
    note: str | None = None


def turn_outcome(reply: ModelReply, agent: AgentDefinition, history: Sequence[Exchange]) -> TurnOutcome:
    """Decide what a reply leads to.

    Args:
        reply: The model's reply.
        agent: The agent, to whose `output_schema` the answer is held.
        history: The turns before it, which tell how often the model was corrected already.

    Returns:
        The reply to record. Without an end and without calls, the model is asked again.
    """
    size = carried_bytes(reply.model_dump(mode="json"))
    if size > REPLY_LIMIT_BYTES:
        cut = reply.model_copy(update={"text": reply.text[:1_000], "calls": (), "parts": ()})
        detail = f"the model's reply takes {size} bytes; the limit is {REPLY_LIMIT_BYTES}."
        return TurnOutcome(cut, _failed(OutputMalformed.__name__, detail))
    if reply.stop in NAMED_STOPS:
        kind, detail = NAMED_STOPS[reply.stop]
        # A truncated call is no call: its arguments may parse and mean something else.
        return TurnOutcome(_without_calls(reply), _failed(kind.__name__, detail))
    if reply.calls or reply.stop == "pause":
        return TurnOutcome(reply)
    return _answered(reply, agent, history)


def _answered(reply: ModelReply, agent: AgentDefinition, history: Sequence[Exchange]) -> TurnOutcome:
    """Check an answer against what the agent promises."""
    if agent.output_schema is not None:
        reply = _unfenced(reply)
    if reply.is_empty:
        code, detail, note = OutputEmpty.__name__, "the model answered nothing, again and again.", _EMPTY
    elif faults := output_faults(agent, reply.text):
        code, detail = (
            OutputInvalid.__name__,
            f"the answer does not fit `output_schema`: {'; '.join(faults)}.",
        )
        note = f"Your answer does not fit: {'; '.join(faults)}. Answer again with the whole JSON object, and nothing else."
    else:
        return TurnOutcome(reply, End(status=RunStatus.COMPLETED))
    told = sum(exchange.note is not None for exchange in history)
    if told >= MOST_REPAIRS_OF_RUN or _corrections_in_a_row(history) >= MOST_REPAIRS:
        return TurnOutcome(reply, _failed(code, detail))
    return TurnOutcome(reply, note=note)


def _unfenced(reply: ModelReply) -> ModelReply:
    """Remove the code fence that many models put around JSON, if it holds all of the answer."""
    first, _, rest = reply.text.strip().partition("\n")
    text = rest.removesuffix(_FENCE).strip()
    is_fenced = first.strip().lower() in (_FENCE, f"{_FENCE}json") and rest.endswith(_FENCE)
    if not is_fenced or _FENCE in text or not text:
        return reply
    others = tuple(part for part in reply.parts if part.kind != "text")
    parts = (*others, TextPart(chars=len(text))) if others else ()
    return reply.model_copy(update={"text": text, "parts": parts})


def output_faults(agent: AgentDefinition, text: str) -> list[str]:
    """List where an answer does not fit `output_schema`; each fault begins with its path.

    Args:
        agent: Without an `output_schema` every answer fits.
        text: The answer.

    Returns:
        At most five faults; none for an answer that fits.
    """
    if agent.output_schema is None:
        return []
    try:
        value = read_json(text)
    except NotJson as error:
        return [f"output: it is not JSON ({error})"]
    return list(islice(faults_of_value(value, agent.output_schema, "output"), _MOST_FAULTS))


def _corrections_in_a_row(history: Sequence[Exchange]) -> int:
    """Count the last turns in a row in which the model was asked to correct its answer."""
    told = 0
    for exchange in reversed(history):
        if exchange.note is None:
            break
        told += 1
    return told


def _without_calls(reply: ModelReply) -> ModelReply:
    kept = tuple(part for part in reply.parts if part.kind != "call")
    return reply.model_copy(update={"calls": (), "parts": kept})


def _failed(code: str, detail: str) -> End:
    return End(status=RunStatus.FAILED, error=RunError(code=code, detail=detail))
