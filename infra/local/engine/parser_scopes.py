"""moto keeps the query language of the scope being parsed in a list on the *class*.

Where: `Preprocessor._query_language_per_scope` in moto/stepfunctions/parser/asl/parse/preprocessor.py. One invalid
definition leaves its scopes on that list, after which valid ones are refused for the rest of the process, and
executions that start at the same time read each other's scopes. Each parser gets a list of its own.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor


def install() -> None:
    """Give every instance its own list."""
    Preprocessor.__init__ = _init


def _init(preprocessor: Any) -> None:
    preprocessor._query_language_per_scope = []  # noqa: SLF001 - this is the attribute that is shared by mistake
