"""Fits the grammar of a Distributed Map to the part of it that moto's parser reads.

Where: the grammar behind moto/stepfunctions/parser/asl/antlr/runtime/ASLParser.py knows neither children of type EXPRESS nor batches,
written results by format, delimiters, pointers and manifests, nor a tolerated percentage that is a whole number. A machine
with them can be made, as on AWS; what the laptop cannot run fails at its state and says so.
"""

from __future__ import annotations

import json
from typing import Any

MODE = "DISTRIBUTED"
_READER = frozenset({"InputType", "CSVHeaderLocation", "CSVHeaders", "MaxItems", "MaxItemsPath"})
_SAME_AS_WITHOUT = ({"CSVDelimiter": "COMMA"}, {"Transformation": "NONE"})
_INPUT_TYPES = frozenset({"CSV", "JSON", "MANIFEST"})


def runnable(definition: str) -> str:
    """Rewrite what moto cannot read; a definition without Distributed Maps stays as it is."""
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
        kept = {name: said for name, said in reader.items() if {name: said} not in _SAME_AS_WITHOUT}
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
