"""Patches of a state's variables: assignment, the context object, `$states`."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

from antlr4 import ParserRuleContext
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.component.common.outputdecl import Output
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.states import States
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from infra.local.engine.states import jsonata

ORIGINALS = (AssignDecl._eval_body, Output._eval_body)  # noqa: SLF001 - what is patched


def install_assign_order() -> None:
    """Evaluate the output over the variables from before the assignment.

    moto assigns variables before it evaluates the state's output, which then sees the new values.

    Where: `_eval_state` and `_eval_state_output` of the states in moto/stepfunctions/parser/asl/component/state. On AWS `Assign` and
    `Output` are both evaluated over the variables from when the state was entered.
    """
    AssignDecl._eval_body = _assign  # noqa: SLF001 - as above
    Output._eval_body = _output  # noqa: SLF001 - as above


def _assign(component: AssignDecl, env: Environment) -> None:
    before = jsonata.variables_of(env)
    ORIGINALS[0](component, env)
    env.variable_store.before = (env.next_state_name, before)


def _output(component: Output, env: Environment) -> None:
    store = env.variable_store
    state, before = getattr(store, "before", None) or (None, None)
    store.visible = before if state == env.next_state_name else None
    try:
        ORIGINALS[1](component, env)
    finally:
        store.visible = store.before = None


ORIGINAL_ASSIGNED_STRINGS = Preprocessor.visitAssign_template_value_terminal_string_literal


def install_assigned_strings() -> None:
    """Decode assigned string literals as JSON.

    moto assigns string literals with the escapes of the definition's JSON.

    Where: `visitAssign_template_value_terminal_string_literal` in
    moto/stepfunctions/parser/asl/parse/preprocessor.py:1435 removes the quotes only, so that `States.StringToJson` of such
    a variable, and every quote or line break in it, is wrong. `get_assigned_variables` in …/eval/variable_store.py:81 puts quotes
    around text for the history without escaping it.
    """
    Preprocessor.visitAssign_template_value_terminal_string_literal = _visit
    VariableStore.get_assigned_variables = _assigned_variables


def _visit(preprocessor: Preprocessor, ctx: ParserRuleContext) -> AssignTemplateValueTerminalLit:
    text = ctx.string_literal().getText()
    return (
        AssignTemplateValueTerminalLit(value=json.loads(text))
        if text.startswith('"')
        else ORIGINAL_ASSIGNED_STRINGS(preprocessor, ctx)
    )


def _assigned_variables(store: VariableStore) -> dict[str, str]:
    names = store._declaration_tracing  # noqa: SLF001 - what is patched
    return {name: to_json_str(store.get(name), separators=(",", ":")) for name in names}


ORIGINAL_CONTEXT_OBJECT = ExecutionWorker._get_evaluation_environment  # noqa: SLF001 - what is patched


def install_context_object() -> None:
    """Write the times of the context object as text.

    moto keeps the context object's times as Python dates, so that `$$` or `$states.context` as a whole is no JSON.

    Where: `_get_evaluation_environment` in moto/stepfunctions/parser/backend/execution_worker.py:77 and
    `CommonStateField._eval_body` in moto/stepfunctions/parser/asl/component/state/state.py:208. AWS has ISO 8601 text with
    milliseconds and a Z, and a RedriveCount beside StartTime.
    """
    ExecutionWorker._get_evaluation_environment = _environment  # noqa: SLF001 - as above
    state.StateData = _state_data


def iso(moment: dt.datetime) -> str:
    """Return a time as AWS writes it: ISO 8601 with milliseconds and a Z."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _environment(worker: ExecutionWorker) -> Environment:
    env = ORIGINAL_CONTEXT_OBJECT(worker)
    execution = env.states.context_object.context_object_data["Execution"]
    execution["StartTime"] = iso(execution["StartTime"])
    execution["RedriveCount"] = 0
    return env


def _state_data(**fields: Any) -> dict[str, Any]:
    return {**fields, "EnteredTime": iso(dt.datetime.fromisoformat(fields["EnteredTime"]))}


ORIGINAL_STATES_DATA = States.reset


def install_states_data() -> None:
    """Leave the result and the error of a state undefined until they exist.

    moto shows `$states.result` and `$states.errorOutput` as null where AWS has them undefined.

    Where: `States.reset` in moto/stepfunctions/parser/asl/eval/states.py sets both to None at the start of each state, so
    an expression that reads a result too early gets null on the laptop and fails on AWS.
    """
    States.reset = _reset


def _reset(states: States, input_value: Any) -> None:
    data = states._states_data  # noqa: SLF001 - the data has no accessor
    data["input"] = copy.deepcopy(input_value)
    data.pop("result", None)
    data.pop("errorOutput", None)
