"""List the checks, and run all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from stepward.domain.documents.problems import MOST_PROBLEMS, Problem, in_order
from stepward.workflows.checks.context import CheckContext
from stepward.workflows.checks.dependencies import (
    find_cycles,
    find_missing_needs,
    find_repeated_ids,
    find_wrong_branches,
)
from stepward.workflows.checks.expression_mistakes import (
    best_problems,
    find_endless_recursion,
    find_foreign_expressions,
    find_misplaced_expressions,
)
from stepward.workflows.checks.expressions import find_unavailable_references, find_unreadable_expressions
from stepward.workflows.checks.precedence import Precedence
from stepward.workflows.checks.reachability import find_dead_ends, find_wrong_transitions
from stepward.workflows.checks.settings import (
    find_exceeded_limits,
    find_retried_once_effects,
    find_unbounded_waits,
    find_useless_failure_rules,
    find_wrong_input_schema,
    find_wrong_settings,
)
from stepward.workflows.checks.type_flow import find_type_mismatches, find_wrong_arguments

CHECKS: Final[tuple[Callable[[CheckContext, Precedence], Iterator[Problem]], ...]] = (
    find_repeated_ids,
    find_missing_needs,
    find_cycles,
    find_wrong_settings,
    find_wrong_branches,
    find_unbounded_waits,
    find_retried_once_effects,
    find_useless_failure_rules,
    find_wrong_input_schema,
    find_wrong_transitions,
    find_dead_ends,
    find_exceeded_limits,
    find_misplaced_expressions,
    find_foreign_expressions,
    find_unreadable_expressions,
    find_endless_recursion,
    find_unavailable_references,
    find_wrong_arguments,
    find_type_mismatches,
)


def check(context: CheckContext) -> list[Problem]:
    """Find all problems of a definition; beyond a limit the search stops."""
    return in_order(best_problems(_found(context)))


def _found(context: CheckContext) -> Iterator[Problem]:
    precedence = Precedence(context)
    left = MOST_PROBLEMS + 1
    for find in CHECKS:
        some = list(islice(find(context, precedence), left))
        yield from some
        left -= len(some)
        if left <= 0:
            return
