"""Patches of how definitions are validated and parsed: errors, cache, texts."""

from __future__ import annotations

import functools
import json
import pickle
import threading
from typing import Any

from antlr4 import ParserRuleContext
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import InvalidDefinition
from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlt4utils.antlr4utils import is_terminal
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.parse import preprocessor
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.states.definition_checks import Diagnostic, diagnose

MODE = "DISTRIBUTED"
_READER = frozenset({"InputType", "CSVHeaderLocation", "CSVHeaders", "MaxItems", "MaxItemsPath"})
_SAME_AS_WITHOUT = ({"CSVDelimiter": "COMMA"}, {"Transformation": "NONE"})
_INPUT_TYPES = frozenset({"CSV", "JSON", "MANIFEST"})


def runnable(definition: str) -> str:
    """Rewrite what moto cannot parse; a definition without Distributed Maps is unchanged."""
    if MODE not in definition:
        return definition
    return json.dumps(_scope(json.loads(definition)))


def _scope(scope: dict[str, Any]) -> dict[str, Any]:
    return {**scope, "States": {name: _state(state) for name, state in scope["States"].items()}}


def _state(state: dict[str, Any]) -> dict[str, Any]:
    made = dict(state)
    if isinstance(made.get("Branches"), list):
        made["Branches"] = [_scope(branch) for branch in made["Branches"]]
    for name in ("ItemProcessor", "Iterator"):
        if isinstance(made.get(name), dict) and "States" in made[name]:
            made[name] = _scope(made[name])
    if made.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") != MODE:
        return made
    return _distributed(made)


def _distributed(state: dict[str, Any]) -> dict[str, Any]:
    # An Express workflow runs by the rules of a Standard one here.
    config = {**state["ItemProcessor"]["ProcessorConfig"], "ExecutionType": "STANDARD"}
    made = {**state, "ItemProcessor": {**state["ItemProcessor"], "ProcessorConfig": config}}
    if isinstance(made.get("ToleratedFailurePercentage"), int):
        made["ToleratedFailurePercentage"] = float(made["ToleratedFailurePercentage"])
    if isinstance(made.get("ItemReader"), dict) and isinstance(made["ItemReader"].get("ReaderConfig"), dict):
        reader = made["ItemReader"]["ReaderConfig"]
        kept = {name: value for name, value in reader.items() if {name: value} not in _SAME_AS_WITHOUT}
        made["ItemReader"] = {**made["ItemReader"], "ReaderConfig": kept}
    lacks = _not_run(made)
    if not lacks:
        return made
    cause = f"The laptop does not run {', '.join(lacks)} of a Distributed Map."
    return {"Type": "Fail", "Error": "States.Runtime", "Cause": cause}


def _not_run(state: dict[str, Any]) -> list[str]:
    reader = state.get("ItemReader", {}).get("ReaderConfig", {})
    writer = state.get("ResultWriter", {})
    lacks = [name for name in ("ItemBatcher",) if name in state]
    lacks += [f"ReaderConfig.{name}" for name in sorted(set(reader) - _READER)]
    lacks += [] if reader.get("InputType", "JSON") in _INPUT_TYPES else [f"InputType {reader['InputType']}"]
    lacks += [f"ResultWriter.{name}" for name in sorted(set(writer) - {"Resource", "Parameters"})]
    return lacks


ORIGINAL_PARSE_CACHE = AmazonStateLanguageParser.parse
# ANTLR's prediction tables are shared by all parsers of a process.
_lock = threading.Lock()


def parse(definition: str) -> tuple[Program, ParserRuleContext]:
    """Return a new program and the cached parse tree of a definition."""
    tree, program = _kept(definition)
    return pickle.loads(program), tree  # noqa: S301 - made by this process


def install_parse_cache() -> None:
    """Parse each definition once.

    moto parses a definition for every execution: 250 ms of ANTLR for 50 states, most of an execution's cost.

    Where: `AmazonStateLanguageParser.parse` in moto/stepfunctions/parser/asl/parse/asl_parser.py. The parse tree never
    changes and is kept; the program made from it holds counters, so each execution gets a copy of its own, of a pickle: that
    takes a sixteenth of making it from the tree.
    """
    AmazonStateLanguageParser.parse = staticmethod(parse)


@functools.lru_cache(maxsize=256)
def _kept(definition: str) -> tuple[ParserRuleContext, bytes]:
    with _lock:
        tree = ORIGINAL_PARSE_CACHE(runnable(definition))[1]
    return tree, pickle.dumps(Preprocessor().visit(tree), protocol=pickle.HIGHEST_PROTOCOL)


def install_parser_scopes() -> None:
    """Give every parser its own list of query languages.

    moto keeps the query language of the scope being parsed in a list on the *class*.

    Where: `Preprocessor._query_language_per_scope` in moto/stepfunctions/parser/asl/parse/preprocessor.py. One invalid
    definition leaves its scopes on that list, after which valid ones are refused for the rest of the process, and
    executions that start at the same time read each other's scopes. Each parser gets a list of its own.
    """
    Preprocessor.__init__ = _init


def _init(parser: Preprocessor) -> None:
    parser._query_language_per_scope = []  # noqa: SLF001 - this is the attribute that is shared by mistake


ORIGINALS = (preprocessor.Preprocessor._inner_string_of, preprocessor.from_string_literal)  # noqa: SLF001 - what is patched


def install_definition_texts() -> None:
    r"""Read every string of a definition as JSON.

    moto takes some strings of a definition with their JSON escapes, and reads the others as Python would.

    Where: `_inner_string_of` in moto/stepfunctions/parser/asl/parse/preprocessor.py:399 leaves every escape in names of states
    and fields, in paths and in error names; `from_string_literal` in …/antlt4utils/antlr4utils.py:31 makes two characters of an
    emoji that is written `\ud83d\ude00`, as most writers of JSON do. So names of states and fields differ from those written.
    """
    engine: Any = preprocessor
    engine.from_string_literal = read
    engine.Preprocessor._inner_string_of = staticmethod(_inner)  # noqa: SLF001 - as above


def read(parser_rule_context: ParserRuleContext) -> str:
    """Return the string that a literal of a definition denotes."""
    text: str = parser_rule_context.getText()
    if not (text.startswith('"') and text.endswith('"')):
        return text
    decoded: str = json.loads(text, strict=False)
    return decoded


def _inner(parser_rule_context: ParserRuleContext) -> str | None:
    return None if is_terminal(parser_rule_context, ASLLexer.NULL) else read(parser_rule_context)


ORIGINAL_MACHINE_DEFINITIONS = StepFunctionsParserBackend._validate_definition  # noqa: SLF001 - what is patched
MOST_DIAGNOSTICS = 100


class Refused(AWSError):  # type: ignore[misc]
    """InvalidDefinition; moto's own error loses its code on the way to the client."""

    TYPE = "InvalidDefinition"


def install_machine_definitions() -> None:
    """Validate a definition before its use, and add ValidateStateMachineDefinition.

    moto accepts definitions that AWS refuses, and reports what it refuses in terms of its grammar.

    Where: `_validate_definition` in moto/stepfunctions/parser/models.py:64, and the actions of moto/stepfunctions/responses.py. What
    `definition_checks` finds is refused first; what only moto's grammar finds gets AWS's code for it.
    """
    StepFunctionsParserBackend._validate_definition = staticmethod(_validate)  # noqa: SLF001 - as above
    StepFunctionResponse.validate_state_machine_definition = _validate_action


def faults_of(definition: str) -> list[Diagnostic]:
    """List the errors and warnings of a definition.

    What moto's grammar refuses is added only where there is no other error.
    """
    found = diagnose(definition)
    if all(one.severity != "ERROR" for one in found):
        try:
            ORIGINAL_MACHINE_DEFINITIONS(definition)
        except InvalidDefinition as error:
            found.insert(0, Diagnostic("SCHEMA_VALIDATION_FAILED", str(error.message), None))
    return found


def _validate(definition: str) -> None:
    errors = [one.text() for one in faults_of(definition) if one.severity == "ERROR"]
    if errors:
        raise Refused(f"Invalid State Machine Definition: '{', '.join(errors)}'")


def _validate_action(response: StepFunctionResponse) -> ActionResult:
    definition, severity = (response._get_param(name) for name in ("definition", "severity"))  # noqa: SLF001
    most = response._get_int_param("maxResults") or MOST_DIAGNOSTICS  # noqa: SLF001
    found = faults_of(definition)
    shown = [one for one in found if severity == "WARNING" or one.severity == "ERROR"]
    fails = any(one.severity == "ERROR" for one in found)
    answer: dict[str, Any] = {
        "result": "FAIL" if fails else "OK",
        "diagnostics": [_shown(one) for one in shown[:most]],
        "truncated": len(shown) > most,
    }
    return ActionResult(answer)


def _shown(one: Diagnostic) -> dict[str, str]:
    place = {} if one.location is None else {"location": one.location}
    return {"severity": one.severity, "code": one.code, "message": one.message, **place}
