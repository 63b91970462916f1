"""List the proofs, and run all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stepward.domain.documents.problems import Problem
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.compiler.compile import Compiled
from stepward.workflows.proofs.approvals import ONCE_APPROVED, prove_approvals
from stepward.workflows.proofs.liveness import BOUNDED, NO_DEADLOCK, prove_no_deadlock, prove_termination
from stepward.workflows.proofs.proof import Proof, Subject, shown
from stepward.workflows.proofs.redaction import PII_REDACTED, prove_redaction

PROOFS: Final[tuple[Callable[[Subject], Proof], ...]] = (
    prove_termination,
    prove_no_deadlock,
    prove_redaction,
    prove_approvals,
)
FIXES: Final = {
    BOUNDED: "give every loop `max_iterations`, and every circle a task with `max_visits`",
    NO_DEADLOCK: "this is a fault of the compiler, not of the document: please report it",
    PII_REDACTED: "put a task with `data: redacted` on that way, or take the need away that makes it",
    ONCE_APPROVED: "put a task of type human before it that all ways pass, with `on_deny: fail`",
}


def prove(definition: WorkflowDefinition, compiled: Compiled | None = None) -> list[Proof]:
    """Run every proof; without a bound a version is not compiled, and only the first is run."""
    subject = Subject(definition, compiled)
    first = prove_termination(subject)
    if not first.holds:
        return [first]
    return [first, *(proof(subject) for proof in PROOFS[1:])]


def refusals(proofs: list[Proof]) -> list[Problem]:
    """Return a problem for each required proof that failed: such a version is not kept."""
    return [
        Problem(
            code=proof.name,
            detail=proof.words + (f": {shown(proof.counter_example)}" if proof.counter_example else ""),
            fix=FIXES[proof.name],
            task=proof.counter_example[-1] if proof.counter_example else None,
        )
        for proof in proofs
        if proof.is_required and not proof.holds
    ]
