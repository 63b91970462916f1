"""A machine is a reviewed ASL file; it names functions by words that are resolved here, where a misspelt one is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from infra.config_errors import unknown_word
from infra.function_configs import FunctionConfig

SUFFIX = ".asl.json"
# A task waits this much longer than its function may run, so that the function's own timeout is the one that is seen.
TASK_GRACE_S = 10

_TOKEN = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_QUOTED_SECONDS = re.compile(r'"\$\{([A-Za-z0-9]+TaskTimeoutSeconds)\}"')


def machine_files(folder: Path) -> dict[str, Path]:
    """Find the machines by their files, whose names are the machines' own."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def read_definition(file: Path, functions: Sequence[FunctionConfig]) -> tuple[str, list[FunctionConfig]]:
    """Read a machine with its timeouts filled in, and the functions that it calls.

    The file has to be JSON to be checked and read, so a number that depends on a function is in quotes there.
    """
    by_token = {f"{function.pascal_name}Arn": function for function in functions}
    seconds = {
        f"{function.pascal_name}TaskTimeoutSeconds": function.timeout_s + TASK_GRACE_S
        for function in functions
    }
    known = [*by_token, *seconds]

    def number(match: re.Match[str]) -> str:
        if match[1] not in seconds:
            raise unknown_word(file, "substitution", match[1], known)
        return str(seconds[match[1]])

    text = _QUOTED_SECONDS.sub(number, file.read_text(encoding="utf-8"))
    called = sorted(set(_TOKEN.findall(text)))
    for token in called:
        if token not in by_token:
            raise unknown_word(file, "substitution", token, known)
    return text, [by_token[token] for token in called]
