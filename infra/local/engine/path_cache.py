"""moto parses a JSONPath anew for every state that uses it, with a parser that it makes anew, too: 0.3 ms each.

Where: `extract_json` in moto/stepfunctions/parser/asl/utils/json_path.py:49 and `ResultPath._eval_body` in
…/component/common/path/result_path.py:27. A parsed path never changes.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

ORIGINALS = {module: module.parse for module in (json_path, result_path)}


def install() -> None:
    """Keep parsed paths."""
    for module, original in ORIGINALS.items():
        engine: Any = module
        engine.parse = functools.lru_cache(maxsize=4096)(original)
