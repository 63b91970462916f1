"""Whatever is put into a document, it is read or refused with reasons, and what is taken fits the published schema."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonata  # noqa: F401  sets the recursion limit when it is first imported, which must not be within a test
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.documents.problems import Refused
from stepward.workflows.checks import examine
from stepward.workflows.documents.normalize import read
from tests.support.draws import drawn
from tests.support.workflow_texts import schema

WELL: dict[str, Any] = {
    "id": "demo", "name": "Demo", "version": "1.0.0", "start": None, "retry": 2, "tags": ["a"],
    "input": {"type": "object", "properties": {"rows": {"type": "array"}}},
    "output": "{% $tasks.last %}",
    "error_handling": {"strategy": "continue"},
    "dependencies": {"last": ["each", "ask"]},
    "tasks": [
        {"id": "first", "agent_id": "writer", "inputs": {"text": "{% $input.rows %}"}, "outputs": {"text": "each.given"}},
        {"id": "each", "foreach": "{% $tasks.first.rows %}", "needs": "first", "collect": "{% $tasks.do.x %}",
         "do": {"tool": "calculate", "with": {"expression": "{% $item.sum %}"}}},
        {"id": "ask", "question": "Sure?", "timeout_s": 60, "form": [{"name": "why"}], "needs": ["group"]},
        {"id": "group", "parallel": {"b": {"seconds": 1}, "c": {"output": 1, "compensate": {"output": 2}}}},
        {"id": "check", "test": "$input.rows", "then": ["last"], "needs": ["group"]},
        {"id": "last", "output": {"a": "{% $tasks.each %}"}, "fallback": 3, "run_when": "any_done"},
    ],
}  # fmt: skip

_values = st.recursive(
    st.sampled_from([
        None, True, False, 0, -1, 3, 1.5, 2.0, "", "a", "first", "each", "c", "{% $tasks.first %}", "{% 1 + %}", "{% x",
        "each.do", "group.b", "next", "\u0430", "1.0.0", "yes", [], {}, ["a"], [None], {"id": "z"}, [{"id": "z", "output": 1}],
        {"to": "last"}, {"max_attempts": 3}, {"z": {"agent": "xx"}}, {"first": "last"},
    ]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["id", "type", "agent", "tasks", "needs", "with", "when", "next", "x", "retry", "settings"]),
        inner, max_size=3,
    ),
    max_leaves=4,
)  # fmt: skip
_names = st.sampled_from([
    "id", "type", "name", "needs", "when", "with", "inputs", "outputs", "retry", "retry_config", "max_retries", "on_error",
    "error_handling", "fallback", "timeout", "tasks", "do", "parallel", "foreach", "until", "next", "start", "compensate",
    "settings", "condition", "dependencies", "then", "test", "config", "tool", "agent", "output", "max_visits", "x", "policy",
    "input", "version", "form", "url", "collect", "max_items", "items",
])  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Give every container of a document with each of its keys."""
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [one for key in keys for one in ((value, key), *places(value[key]))]


@drawn(100)
@given(st.data())
def test_a_document_is_taken_or_refused_with_reasons(data: st.DataObject) -> None:
    changed = copy.deepcopy(WELL)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(changed)))
        if isinstance(container, dict) and data.draw(st.booleans()):
            key = data.draw(_names)
        container[key] = copy.deepcopy(data.draw(_values))
    before = copy.deepcopy(changed)
    definition, problems = examine(changed)
    assert changed == before
    assert (definition is None) == bool(problems)
    assert all(one.detail and one.fix and one.code for one in problems)
    if definition is not None:
        assert [one.message for one in schema().iter_errors(changed)] == []
        assert examine(definition.model_dump(mode="json")) == (definition, [])
    by_text, with_places = examine(json.dumps(changed))
    assert by_text == definition
    assert {one.code for one in with_places} == {one.code for one in problems}
    assert all(one.line for one in with_places)


@drawn(100)
@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`# \n\t\\x0"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in ("yaml", "json", "auto"):
        try:
            assert isinstance(read(text, kind).tree, dict)  # type: ignore[arg-type]
        except Refused as error:
            assert error.problems


@drawn(100)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        read(raw)
    except Refused as error:
        assert error.problems
