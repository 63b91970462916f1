"""moto assigns variables before it makes the state's output, which then sees the new ones.

Where: `_eval_state` and `_eval_state_output` of the states in moto/stepfunctions/parser/asl/component/state. On AWS `Assign` and
`Output` are evaluated beside each other, both over the variables as they were when the state was entered.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.outputdecl import Output

from infra.local.engine import jsonata_binding

ORIGINALS = (AssignDecl._eval_body, Output._eval_body)  # noqa: SLF001 - what is mended


def install() -> None:
    """Keep what was before the assignment until the output is made."""
    AssignDecl._eval_body = _assign  # noqa: SLF001 - as above
    Output._eval_body = _output  # noqa: SLF001 - as above


def _assign(component: Any, env: Any) -> None:
    before = jsonata_binding.variables_of(env)
    ORIGINALS[0](component, env)
    env.variable_store.before = (env.next_state_name, before)


def _output(component: Any, env: Any) -> None:
    store = env.variable_store
    state, before = getattr(store, "before", None) or (None, None)
    store.seen = before if state == env.next_state_name else None
    try:
        ORIGINALS[1](component, env)
    finally:
        store.seen = store.before = None
