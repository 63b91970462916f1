"""What a machine can hold, and what tools take, is known before anything runs."""

from __future__ import annotations

import pytest

from tests.support.workflow_texts import only, told


class TestLimits:
    def test_a_path_names_a_state(self) -> None:
        long = "x" * 40
        problem = only(f"tasks:\n- {{id: {long}, foreach: [1], do: [{{id: {long}, agent: xx}}]}}\n")
        assert (problem.code, problem.field) == ("path-too-long", "id")
        assert "81 characters; 70 are the most" in problem.detail

    def test_bodies_lie_within_each_other_four_deep(self) -> None:
        def nested(depth: int) -> str:
            inner = "{id: e, agent: xx}"
            for _ in range(depth):
                inner = f"{{id: e, foreach: [1], do: [{inner}]}}"
            return f"tasks:\n- {inner}\n"

        assert told(nested(3)) == []
        assert told(nested(4)) == [("nested-too-deep", "e.e.e.e.e", None)]
        assert told(nested(6)) == [("nested-too-deep", "e.e.e.e.e", None)]

    def test_a_history_holds_so_many_events(self) -> None:
        tasks = ", ".join(f"{{id: t{n}, agent: xx}}" for n in range(4))
        inner = f"{{id: in, until: '{{%% false %%}}', max_iterations: %d, do: [{tasks}]}}"
        text = f"tasks:\n- {{id: again, until: '{{%% false %%}}', max_iterations: 10, do: [{inner}]}}\n"
        assert told(text % 95) == []
        problem = only(text % 96)
        assert (problem.code, problem.task, problem.field) == ("history-too-long", "again", "max_iterations")
        assert (
            problem.detail == "10 times 2,502 + 2 events are 25,040, and one execution's history holds 25,000"
        )
        assert problem.fix.startswith(
            "lower `max_iterations` to 9, or put the body into a workflow of its own"
        )

    def test_items_that_are_too_many_for_it_run_in_chunks(self) -> None:
        tasks = ", ".join(f"{{id: t{n}, agent: xx}}" for n in range(40))
        each = f"{{id: each, items: '{{% $input.rows %}}', max_items: 10000, tasks: [{tasks}]}}"
        assert told(f"tasks:\n- {each}\n") == []
        assert told("tasks:\n- {id: each, items: '{% $input %}', max_items: 10001, do: {agent: xx}}\n") != []
        assert told("tasks:\n- {id: each, items: '{% $input %}', chunk_size: 0, do: {agent: xx}}\n") != []

    def test_bodies_within_bodies_multiply(self) -> None:
        text = "tasks:\n- {id: a, until: $iteration, max_iterations: %d, do: [{id: b, items: '{%% $input %%}', max_items: 100, do: {agent: xx}}]}\n"
        assert told(text % 600) == []
        assert told(text % 700) == [("history-too-long", "a", "max_iterations")]

    def test_a_list_in_the_document_says_how_long_it_is(self) -> None:
        assert told("tasks:\n- {id: a, items: [1, 2], max_items: 10000, do: {agent: xx}}\n") == []


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "told_of"),
        [
            ("{expression: 1 + 1}", []),
            ("{expression: '{% $input.sum %}'}", []),
            ("{}", [("missing-argument", "with.expression")]),
            (
                "{expresion: '1'}",
                [("missing-argument", "with.expression"), ("unknown-argument", "with.expresion")],
            ),
            ("{expression: 3}", [("wrong-argument", "with.expression")]),
            ("{expression: '1', extra: '{% $input.x %}'}", [("unknown-argument", "with.extra")]),
        ],
    )
    def test_arguments_are_those_of_the_tool(self, given: str, told_of: list[tuple[str, str]]) -> None:
        found_here = told(f"tasks:\n- {{id: a, tool: calculate, with: {given}}}\n")
        assert sorted((code, field) for code, _, field in found_here) == sorted(told_of)

    def test_arguments_of_a_described_tool_are_held_to_its_schema(self) -> None:
        text = """
            tasks:
            - id: a
              tool: http_request
              config:
                method: GET
                url: "https://example.com/orders/{order}"
                query: {page: "{page}"}
                arguments: {type: object, properties: {order: {type: integer}, page: {type: integer}}, required: [order]}
              with: %s
        """
        assert told(text % "{order: 3}") == []
        assert told(text % "{order: three}") == [("wrong-argument", "a", "with.order")]
        assert told(text % "{order: '{% $input.order %}', page: x}") == [("wrong-argument", "a", "with.page")]
        assert told(text % "{page: 3}") == [("missing-argument", "a", "with.order")]

    @pytest.mark.parametrize(
        ("expression", "code"),
        [
            ("$input.text", None),
            ("$input.any", None),
            ("$input.more.deep.x", None),
            ("$input.count", "type-mismatch"),
            ("$input.more", "type-mismatch"),
            ("$input", "type-mismatch"),
            ("$tasks.ask", "type-mismatch"),
            ("$tasks.each", "type-mismatch"),
            ("$tasks.ask.answer", "unknown-output"),
            ("$tasks.tell.id", None),
            ("$tasks.tell.idd", "unknown-output"),
            ("$input.txet", "unknown-output"),
            ("$input.more.deeep", "unknown-output"),
            ("$string($input.count)", None),
            ("$input.text.length", "unknown-output"),
        ],
    )
    def test_what_one_brings_is_what_the_other_takes(self, expression: str, code: str | None) -> None:
        problems = told(f"""
            input:
              type: object
              properties:
                text: {{type: string}}
                count: {{type: integer}}
                any: {{}}
                more: {{type: object, properties: {{deep: {{type: object}}}}}}
            tasks:
            - {{id: ask, test: $input.text = 'x'}}
            - {{id: tell, event: x.done}}
            - {{id: each, foreach: [1], do: {{agent: xx}}}}
            - {{id: a, tool: calculate, needs: [ask, tell, each], with: {{expression: "{{% {expression} %}}"}}}}
        """)
        assert problems == ([(code, "a", "with.expression")] if code else [])

    def test_fields_of_lists_are_read_of_their_items(self) -> None:
        text = "input: {type: object, properties: {rows: {type: array, items: {type: object, properties: {id: {type: string}}}}}}\ntasks:\n- {id: a, output: '{%% $input.rows.%s %%}'}\n"
        assert told(text % "id") == []
        assert only(text % "ib").fix == "it has id"
