"""The deterministic backend: plays an agent's rehearsal over the real results of real tools.

The same input and the same results give the same replies, so a rehearsed run can be repeated, tested and priced.
Tokens are counted from the texts at 3.6 bytes a token, as the estimate for real models is, and of what a model is
shown only: what a call cost and how long it took would make the count differ from one process to the next.
"""

from __future__ import annotations

import json
from typing import Any, Final

from stepward.domain.conversation import FOR_THE_BOOKS, ModelReply, ModelRequest, ToolCall
from stepward.domain.errors import ModelFault, OutputMalformed, RehearsalFailed
from stepward.domain.json_text import NotJson, fault_of, read_json
from stepward.domain.money import Usage
from stepward.domain.scripted_model import Rehearsal, ScriptedCall, ScriptedReply
from stepward.expressions.evaluate import evaluate, is_expression
from stepward.models.token_counts import estimated_tokens
from stepward.ports.models import CallContext

_NOT_SENT: Final[Any] = {
    "model": True,
    "max_output_tokens": True,
    "own_turn": True,
    "options": True,
    "output_schema": True,
    "history": {"__all__": {"results": {"__all__": FOR_THE_BOOKS}}},
}
_NOBODY: Final = CallContext()


class ScriptedBackend:
    """A `ModelBackend` that answers from a rehearsal."""

    longest_call_s = 30.0

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal

    def reply(self, request: ModelRequest, call: CallContext = _NOBODY) -> ModelReply:
        """Answer the agent's turn n with item n of the script; raises `RehearsalFailed`.

        It calls no provider, so that no provider's fault may come of it.
        """
        del call
        try:
            return self._scripted(request, request.own_turn or request.turn)
        except ModelFault as error:
            raise RehearsalFailed(error.detail, field=error.field, fix=error.fix) from error

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        """Count the request as a provider would be sent it."""
        return _tokens(request.model_dump_json(exclude=_NOT_SENT))

    def _scripted(self, request: ModelRequest, turn: int) -> ModelReply:
        variables = _variables(request, turn)
        scripted = self._choose(turn, variables)
        text = _as_text(_render(scripted.say, variables))
        # A call's id is unique in the run, so it has the run's turn and not the agent's own.
        calls = tuple(_call(call, request.turn, i, variables) for i, call in enumerate(scripted.call))
        fault = fault_of([text, [call.arguments for call in calls]])
        if fault:
            raise OutputMalformed(f"the rehearsal's turn {turn} cannot be kept: {fault}.")
        tokens = min(_output_tokens(text, calls), request.max_output_tokens)
        usage = Usage(input_tokens=self.estimate_input_tokens(request), output_tokens=tokens)
        return ModelReply(text=text, calls=calls, usage=usage, stop="tools" if calls else "end")

    def _choose(self, turn: int, variables: dict[str, Any]) -> ScriptedReply:
        scripted = self._rehearsal.at(turn)
        if scripted is None:
            raise OutputMalformed(
                f"the rehearsal has no turn {turn}.",
                field="rehearsal.turns",
                fix="end the script with a turn that makes no call, or let its last turn `repeat`",
            )
        for reply in scripted.replies:
            if reply.when is None or _render(reply.when, variables) is True:
                return reply
        raise OutputMalformed(
            f"no reply of the rehearsal's turn {turn} applies.",
            field=f"rehearsal.turns[{turn - 1}].choose",
            fix="end `choose` with a reply that has no `when`",
        )


def _variables(request: ModelRequest, turn: int) -> dict[str, Any]:
    results = [result for exchange in request.history for result in exchange.results]
    return {
        "input": _parsed(request.input),
        "turn": turn,
        "results": [{**r.model_dump(exclude={"error"}), "ok": r.error is None} for r in results],
        "last": {r.tool: r.content for r in results},
    }


def _parsed(text: str) -> Any:
    """Parse an object; any other text stays as it was sent."""
    try:
        found = read_json(text) if text.lstrip().startswith("{") else text
    except NotJson:
        return text
    return found if isinstance(found, dict) else text


def _call(call: ScriptedCall, turn: int, index: int, variables: dict[str, Any]) -> ToolCall:
    call_id = f"call_{turn}_{index + 1}"
    if call.arguments_text is not None:
        return ToolCall(id=call_id, tool=call.tool, arguments_text=call.arguments_text)
    arguments = _render(call.arguments, variables)
    if not isinstance(arguments, dict):
        return ToolCall(id=call_id, tool=call.tool, arguments_text=json.dumps(arguments))
    return ToolCall(id=call_id, tool=call.tool, arguments=arguments)


def _render(value: Any, variables: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _render(item, variables) for name, item in value.items()}
    if isinstance(value, list):
        return [_render(item, variables) for item in value]
    return evaluate(value, variables) if is_expression(value) else value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _output_tokens(text: str, calls: tuple[ToolCall, ...]) -> int:
    return _tokens(text) + sum(_tokens(call.model_dump_json()) for call in calls)


def _tokens(text: str) -> int:
    return estimated_tokens(len(text.encode()))
