"""moto parses a definition anew for every execution: 250 ms of ANTLR for 50 states, most of an execution's cost.

Where: `AmazonStateLanguageParser.parse` in moto/stepfunctions/parser/asl/parse/asl_parser.py. The parse tree never
changes and is kept; the program made from it holds counters, so each execution gets a copy of its own, of a pickle: that
takes a sixteenth of making it from the tree.
"""

from __future__ import annotations

import functools
import pickle
import threading
from typing import Any

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from infra.local.engine.distributed_maps import runnable

ORIGINAL = AmazonStateLanguageParser.parse

# ANTLR's prediction tables are shared by all parsers of a process.
_lock = threading.Lock()


def parse(definition: str) -> tuple[Any, Any]:
    """Give a program of its own and the kept tree of a definition."""
    tree, program = _kept(definition)
    return pickle.loads(program), tree  # noqa: S301 - made by this process


def install() -> None:
    """Replace the parser's entry point."""
    AmazonStateLanguageParser.parse = staticmethod(parse)


@functools.lru_cache(maxsize=256)
def _kept(definition: str) -> tuple[Any, bytes]:
    with _lock:
        tree = ORIGINAL(runnable(definition))[1]
    return tree, pickle.dumps(Preprocessor().visit(tree), protocol=pickle.HIGHEST_PROTOCOL)
