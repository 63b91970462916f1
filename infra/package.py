"""`make package`: build what Lambda would get and print how large it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from infra.app import ROOT
from infra.bundling import Checkout
from infra.config_errors import DefinitionError, unknown_word
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.machines import machine_files
from infra.package_size import measure, refuse_too_large
from infra.packing import Packer, matching_python


def chosen(functions: Sequence[FunctionConfig], names: Sequence[str]) -> list[FunctionConfig]:
    """Pick the functions that were asked for, or all."""
    by_name = {function.name: function for function in functions}
    for name in names:
        if name not in by_name:
            raise unknown_word(ROOT / "functions", "function", name, by_name)
    return [by_name[name] for name in names] or list(functions)


def run(names: Sequence[str]) -> int:
    """Pack functions one by one; one that is too large fails the command, not the deployment."""
    checkout = Checkout.at(ROOT)
    machines = list(machine_files(checkout.statemachines))
    functions = load_functions(checkout.functions, grant_words(machines), machines)
    if matching_python() is None:
        sys.stderr.write(
            "No python3.13 found: packages are not compiled, which costs time at each cold start.\n"
        )
    packer = Packer(checkout)
    too_large = [
        refusal for function in chosen(functions, names) if (refusal := _pack_and_print(packer, function))
    ]
    sys.stderr.writelines(f"{refusal}\n" for refusal in too_large)
    return 1 if too_large else 0


def _pack_and_print(packer: Packer, function: FunctionConfig) -> DefinitionError | None:
    size = measure(function.name, packer.pack(function))
    sys.stdout.write(f"{size}\n")
    sys.stdout.flush()
    try:
        refuse_too_large(function, size)
    except DefinitionError as refusal:
        return refusal
    return None


def main() -> int:
    """Report a mistake in a file of ours as one line."""
    try:
        return run(sys.argv[1:])
    except DefinitionError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
