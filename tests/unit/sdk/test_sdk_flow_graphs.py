"""Bodies, groups and transitions of a `Flow`: tasks wait for what is spoken of, wherever that is."""

from __future__ import annotations

from stepward.sdk import goto, jsonata, step
from tests.unit.sdk.flows import a_flow, same


def test_bodies_wait_for_what_is_spoken_of_within() -> None:
    made = a_flow()
    rate = made.transform("rate", output=1.19)
    with made.foreach("each", made.input.lines, max_parallel=5, max_items=20, chunk_size=10) as each:
        price = made.transform("price", output=jsonata(f"{each.item.price} * {rate.output}"))
        made.transform("label", output=jsonata(f"$string({each.index}) & ': ' & $string({price.output})"))
        each.collect({"price": price.output, "rate": rate.output})
    with made.loop("refine", max_iterations=3, needs=each) as refine:
        draft = made.transform("draft", output=jsonata(f"{refine.iteration} + $count({each.output})"))
        refine.until(f"{draft.output} > {rate.output}")
    made.returns({"lines": each.output, "draft": refine.output})
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    tasks:
      - {id: rate, type: transform, output: 1.19}
      - id: each
        foreach: "{% $input.lines %}"
        max_parallel: 5
        max_items: 20
        chunk_size: 10
        needs: [rate]
        do:
          - {id: price, type: transform, output: "{% $item.price * $tasks.rate %}"}
          - id: label
            needs: [price]
            output: "{% $string($index) & ': ' & $string($tasks.price) %}"
        collect: {price: "{% $tasks.price %}", rate: "{% $tasks.rate %}"}
      - id: refine
        type: loop
        max_iterations: 3
        needs: [each, rate]
        until: $tasks.draft > $tasks.rate
        tasks:
          - {id: draft, type: transform, output: "{% $iteration + $count($tasks.each) %}"}
    output: {lines: "{% $tasks.each %}", draft: "{% $tasks.refine %}"}
    """
    same(made, text)


def test_a_group_is_seen_through_its_name_once_it_is_closed() -> None:
    made = a_flow()
    start = made.transform("start", output=1)
    with made.parallel("both", needs=start) as both:
        left = made.transform("left", output=1)
        right = made.transform("right", output=jsonata(f"{left.output} + {start.output}"))
    made.transform(
        "sum",
        output={"n": jsonata(f"{left.output} + {right.output}"), "all": both.output, "how": right.status},
    )
    made.transform("late", output=2, needs=[right, "sum"])
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    tasks:
      - {id: start, type: transform, output: 1}
      - id: both
        needs: [start]
        parallel:
          - {id: left, type: transform, output: 1}
          - {id: right, needs: [left], output: "{% $tasks.left + $tasks.start %}"}
      - id: sum
        needs: [both]
        output:
          n: "{% $tasks.both.left + $tasks.both.right %}"
          all: "{% $tasks.both %}"
          how: "{% $status.both.right %}"
      - {id: late, type: transform, output: 2, needs: [both.right, sum]}
    """
    same(made, text)


def test_a_state_machine_goes_by_its_ways_and_waits_for_nothing() -> None:
    made = a_flow(start="work")
    work = made.transform("work", output=jsonata("$input.n"), max_visits=3, next=["check"])
    check = made.transform("check", output=work.output, max_visits=3)
    check.leads_to(goto(work, when=f"{check.output} < 2"), "done")
    made.transform("done", output=check.output)
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    start: work
    tasks:
      - {id: work, type: transform, output: "{% $input.n %}", max_visits: 3, next: check}
      - id: check
        output: "{% $tasks.work %}"
        max_visits: 3
        next: [{to: work, when: $tasks.check < 2}, done]
      - {id: done, output: "{% $tasks.check %}"}
    """
    same(made, text)


def test_what_undoes_a_task_may_speak_of_it_and_of_what_it_needs() -> None:
    made = a_flow()
    rate = made.transform("rate", output=2)
    pay = made.tool("pay", "calculate", expression="1")
    pay.undone_by(
        step("tool", tool="calculate", inputs={"expression": jsonata(f"{pay.output.value} & {rate.output}")})
    )
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    tasks:
      - {id: rate, output: 2}
      - id: pay
        tool: calculate
        needs: rate
        with: {expression: "1"}
        compensate:
          tool: calculate
          with: {expression: "{% $tasks.pay.value & $tasks.rate %}"}
    """
    same(made, text)


def test_bodies_and_groups_stand_within_each_other() -> None:
    made = a_flow()
    rate = made.transform("rate", output=2)
    with made.parallel("both"), made.foreach("outer", made.input.rows) as outer:
        with made.parallel("pair"):
            left = made.transform("left", output=outer.item)
            right = made.transform("right", output=1, needs=rate)
        with made.loop("again", max_iterations=2) as again:
            last = made.transform("last", output=jsonata(f"{again.previous.last} + {left.output}"))
            again.until(f"{last.output} > {right.output}")
        outer.collect(jsonata(f"{left.output} + {again.output.last}"))
    made.transform("end", output=outer.output)
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    tasks:
      - {id: rate, output: 2}
      - id: both
        needs: [rate]
        parallel:
          - id: outer
            foreach: "{% $input.rows %}"
            collect: "{% $tasks.pair.left + $tasks.again.last %}"
            do:
              - id: pair
                parallel:
                  - {id: left, output: "{% $item %}"}
                  - {id: right, output: 1}
              - id: again
                type: loop
                max_iterations: 2
                needs: [pair]
                until: $tasks.last > $tasks.pair.right
                do:
                  - {id: last, output: "{% $previous.last + $tasks.pair.left %}"}
      - {id: end, needs: [both], output: "{% $tasks.both.outer %}"}
    """
    same(made, text)
