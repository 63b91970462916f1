"""A round of a loop ends where its loop asks for the next one, whatever stands last in it."""

from __future__ import annotations

from tests.support.workflow_plans import compiled


def test_a_loop_that_ends_a_loop_is_over_at_the_outer_question() -> None:
    _, made = compiled("""
        tasks:
        - id: outer
          until: "{% true %}"
          max_iterations: 2
          tasks:
          - id: inner
            until: "{% true %}"
            max_iterations: 2
            tasks: [{id: b, output: 1}]
        - {id: z, output: 1, needs: outer}
    """)
    states = made.machine["States"]
    assert states["outer.inner.b"]["Next"] == "outer.inner"
    assert states["outer.inner again?"]["Default"] == "outer"
    assert states["outer again?"]["Default"] == "z"
