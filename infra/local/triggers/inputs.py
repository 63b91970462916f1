"""The input of a rule's target: the event, a part of it, a constant or a filled template.

moto fills a template as text only, so that a quotation mark in a value breaks it.
Source: "Amazon EventBridge input transformation" of the EventBridge guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_TOKEN = re.compile(r'\\.|"|<([A-Za-z0-9._-]+)>', re.DOTALL)
_NOTHING = object()


def target_input(target: Mapping[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """Return the input of a target, as text."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = at_path(event, target["InputPath"])
        return _json("" if found is _NOTHING else found)
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule_arn)
    return _json(event)


def at_path(document: Any, path: str) -> Any:
    """Return what a path of names and indexes finds, which is all that EventBridge offers."""
    if path == "$":
        return document
    for match in _STEP.finditer(path.removeprefix("$")):
        name, index, quoted = match.groups()
        try:
            document = document[int(index)] if index else document[name or quoted]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return document


def _transformed(transformer: Mapping[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    values = {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    return _filled(transformer["InputTemplate"], values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template: with JSON outside of quotation marks, with bare text within."""
    is_quoted = False

    def put(match: re.Match[str]) -> str:
        nonlocal is_quoted
        name = match[1]
        if name is None:
            is_quoted ^= match[0] == '"'
            return match[0]
        if name not in values:
            return match[0]
        return _quoted(values[name]) if is_quoted else _json(_or_null(values[name]))

    return _TOKEN.sub(put, template)


def _quoted(value: Any) -> str:
    if value is _NOTHING or value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _or_null(value: Any) -> Any:
    return None if value is _NOTHING else value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
