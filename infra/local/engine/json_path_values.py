"""moto gives a list for whatever follows an index in a path, and nothing for a filter that nothing fits.

Where: `extract_json` in moto/stepfunctions/parser/asl/utils/json_path.py:49. AWS reads paths as the Java library Jayway does: a
path that can lead to one place only gives its value, any other a list of what it finds, be it empty. moto's library
knows neither `in`, `=~` and their like nor `length()`, and looks with a filter into objects.
"""

from __future__ import annotations

import importlib
from typing import Any

from moto.stepfunctions.parser.asl.utils import json_path

from infra.local.engine import json_paths

ORIGINAL = json_path.extract_json
_ENGINE = "moto.stepfunctions.parser.asl"
_OPERATORS = f"{_ENGINE}.component.state.choice.comparison.operator.implementations"
_READERS = (
    f"{_ENGINE}.utils.json_path",
    f"{_ENGINE}.eval.states",
    f"{_ENGINE}.component.common.string.string_expression",
    f"{_ENGINE}.component.intrinsic.argument.argument",
    f"{_OPERATORS}.boolean_equals",
    f"{_OPERATORS}.numeric",
    f"{_OPERATORS}.string_operators",
    f"{_OPERATORS}.timestamp_operators",
)


def install() -> None:
    """Replace it wherever it is read from."""
    for name in _READERS:
        vars(importlib.import_module(name))["extract_json"] = extract


def extract(path: str, data: Any) -> Any:
    """Find what a path leads to."""
    try:
        found = json_paths.find(path, data)
    except LookupError:
        raise json_path.NoSuchJsonPathError(json_path=path, data=data) from None
    return found[0] if json_paths.read(path).is_definite else found
