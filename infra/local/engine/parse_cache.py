"""moto parses a definition anew for every execution: 250 ms of ANTLR for 50 states, most of an execution's cost.

Where: `AmazonStateLanguageParser.parse` in moto/stepfunctions/parser/asl/parse/asl_parser.py. The parse tree never
changes and is kept; the program made from it holds counters, so each execution gets its own.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

ORIGINAL = AmazonStateLanguageParser.parse

# ANTLR's prediction tables are shared by all parsers of a process.
_lock = threading.Lock()


def parse(definition: str) -> tuple[Any, Any]:
    """Make a program from the kept tree of a definition."""
    tree = _tree(definition)
    return Preprocessor().visit(tree), tree


def install() -> None:
    """Replace the parser's entry point."""
    AmazonStateLanguageParser.parse = staticmethod(parse)


@functools.lru_cache(maxsize=256)
def _tree(definition: str) -> Any:
    with _lock:
        return ORIGINAL(definition)[1]
