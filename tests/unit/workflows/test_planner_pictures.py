"""Pictures show every task and every way, hold nothing that a viewer would run, and are the same for the same plan."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from stepward.domain.errors import InvalidRequest
from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.catalog import CATALOG, all_types
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.drawing import drawing
from stepward.workflows.planner.page_layout import lay_out_page
from stepward.workflows.planner.plan import plan
from stepward.workflows.planner.svg import mermaid, svg
from tests.support.task_graphs import KEPT, kept
from tests.support.workflow_plans import compiled, graph, planned

SVG: Final = "{http://www.w3.org/2000/svg}"
NESTED: Final = """
    tasks:
    - {id: list, output: [1], name: List}
    - id: each
      needs: list
      items: "{% $tasks.list %}"
      tasks:
      - {id: read, output: 1}
      - id: refine
        needs: read
        until: "{% true %}"
        max_iterations: 4
        tasks: [{id: draft, agent: writer}, {id: judge, agent: judge, needs: draft}]
    - id: checks
      needs: list
      tasks: [{id: virus, output: 1}, {id: size, output: 1, when: "{% $input.strict %}"}]
    - {id: ask, question: Well?, timeout_s: 60, needs: [each, checks.virus]}
"""


def drawn(text: str) -> tuple[str, str]:
    definition, made = compiled(text)
    of_it = plan(definition, made)
    return svg(definition, of_it), mermaid(definition, of_it)


def test_every_type_has_a_look_of_its_own() -> None:
    assert len({kind.picture.sign for kind in all_types()}) == len(CATALOG)


def test_an_svg_is_xml_with_a_card_for_each_task_and_a_box_for_each_body() -> None:
    root = ET.fromstring(drawn(NESTED)[0])
    classes = [element.get("class", "").split() for element in root.iter(f"{SVG}rect")]
    assert sum("card" in one for one in classes) == 7
    assert sum("box" in one for one in classes) == 3
    assert sum("maybe" in one for one in classes) == 1
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "path", "text",
    }  # fmt: skip


def test_pictures_are_the_same_bytes_for_the_same_plan() -> None:
    assert drawn(NESTED) == drawn(NESTED)


def test_dark_rooms_have_colours_of_their_own() -> None:
    assert "prefers-color-scheme:dark" in drawn(NESTED)[0]


def test_texts_are_never_markup() -> None:
    evil = '<script>alert("1")</script> & ]]> `x` %% end'
    definition = WorkflowDefinition.model_validate(
        {
            "id": "evil",
            "name": evil,
            "version": "1.0.0",
            "tasks": [{"id": "a", "type": "transform", "name": evil, "output": 1}],
        }
    )
    made = plan(definition, compile_workflow(definition))
    picture, text = svg(definition, made), mermaid(definition, made)
    assert "<script" not in picture
    assert ET.fromstring(picture).find(f"{SVG}title") is not None
    body = text.split("flowchart", 1)[1]
    assert "<script" not in body
    assert body.count('"') == 2


def test_what_xml_cannot_hold_is_left_out() -> None:
    definition = graph([[]])
    odd = definition.model_copy(update={"name": "a\x00b\x1bc\u202e"})
    ET.fromstring(svg(odd, plan(odd, compile_workflow(odd))))


def test_mermaid_thickens_the_critical_path() -> None:
    text = drawn(
        "tasks:\n- {id: a, seconds: 9}\n- {id: b, seconds: 1}\n- {id: c, output: 1, needs: [a, b]}\n"
    )[1]
    assert "n0 ==> n2" in text
    assert "n1 --> n2" in text


def test_mermaid_nests_bodies_and_names_branches() -> None:
    assert drawn(NESTED)[1].count("subgraph") == drawn(NESTED)[1].count("\n    end\n") + 2
    text = drawn(
        "tasks:\n- {id: c, test: '{% $input.go %}', then: a, else: b}\n- {id: a, output: 1}\n- {id: b, output: 1}\n"
    )[1]
    assert 'n0 ==>|"yes"| n1' in text
    assert 'n0 -->|"no"| n2' in text


def test_a_way_back_is_told_apart() -> None:
    definition, made = compiled("""
        start: draft
        tasks:
        - {id: draft, agent: writer, max_visits: 3, next: [{to: review}]}
        - {id: review, agent: judge, next: [{to: done, when: "{% $tasks.review.ok %}"}, {to: draft}]}
        - {id: done, output: 1}
    """)
    found = drawing(definition, plan(definition, made))
    assert [(one.start, one.end) for one in found.links if one.is_back] == [("review", "draft")]


@pytest.mark.parametrize("name", [path.stem for path in KEPT])
def test_nothing_lies_on_anything_else(name: str) -> None:
    definition = graph(kept(name))
    page = lay_out_page(drawing(definition, plan(definition, compile_workflow(definition))))
    boxes = sorted((*page.corners[path], *page.sizes[path]) for path in page.corners)
    for index, (x, y, width, height) in enumerate(boxes):
        assert 0 <= x <= x + width <= page.width + 0.1
        assert 0 <= y <= y + height <= page.height + 0.1
        for other_x, other_y, other_width, other_height in boxes[index + 1 :]:
            apart = other_x >= x + width or other_y >= y + height or other_y + other_height <= y
            assert apart, (x, y, other_x, other_y, other_width)


def test_needs_that_others_imply_are_counted_instead_of_drawn() -> None:
    text = (
        "tasks:\n- {id: a, output: 1}\n- {id: b, output: 1, needs: a}\n- {id: c, output: 1, needs: [a, b]}\n"
    )
    definition, made = compiled(text)
    found = drawing(definition, plan(definition, made))
    assert [(one.start, one.end) for one in found.links] == [("a", "b"), ("b", "c")]
    assert found.implied == 1
    assert re.search("not drawn: 1 that others imply", svg(definition, planned(text)))


def test_what_would_be_black_is_not_drawn() -> None:
    half = 80
    definition = graph([[] for _ in range(half)] + [list(range(half)) for _ in range(half)])
    made = plan(definition, compile_workflow(definition))
    with pytest.raises(InvalidRequest, match="6,400 lines"):
        svg(definition, made)
