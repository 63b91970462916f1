"""Money, as a program asks for it: what was spent, what may be, what models cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from stepward.sdk.transport import Transport, path_to

By = Literal["tenant", "agent", "model", "workflow", "day"]
Scope = Literal["tenant", "day", "month", "agent"]


class Sums(TypedDict):
    """What was used and what it cost; money is in millionths of a dollar, split by who is paid."""

    runs: int
    turns: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    model_usd_micros: int
    tool_usd_micros: int
    aws_usd_micros: int
    total_usd_micros: int
    response_cache_hits: int
    saved_tokens: int
    saved_usd_micros: int
    """What the turns would have cost that the response cache answered; it is in no other number."""


class CostReport(TypedDict):
    """Costs of some days: each of `costs` also names its tenant, agent, model, workflow or day.

    A workflow's line is what it cost itself; its agents have theirs. What has none of what was asked for has an empty name.
    """

    by: By
    costs: list[dict[str, Any]]
    total: Sums


class BudgetState(TypedDict):
    """One budget as it stands; `alerts` says when each level was told."""

    scope: Scope
    id: str
    period: str
    limit_usd_micros: int
    remaining_usd_micros: int
    committed_usd_micros: int
    percent: int
    alerts: dict[str, str]
    refused_at: str | None


class RunLimits(TypedDict):
    """How many runs may be active at once."""

    active: int
    account_active: int


class Estimate(TypedDict):
    """What a run would cost: least, expected (None without past runs) and most."""

    agent: str
    version: str
    least: dict[str, int]
    expected: dict[str, int] | None
    most: dict[str, int]
    based_on_runs: int
    would_be_refused: bool
    notes: list[str]


class Costs:
    """What was spent, and what a run would cost."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def report(self, *, by: By = "day", first: str | None = None, last: str | None = None) -> CostReport:
        """Add costs up; days are UTC dates, YYYY-MM-DD, this month by default."""
        return cast("CostReport", self._wire.get("/costs", {"by": by, "from": first, "to": last}))

    def estimate(
        self,
        agent: str,
        input: str | Mapping[str, Any],  # noqa: A002  the API's own word for it
        *,
        version: str | None = None,
    ) -> Estimate:
        """Say what a run would cost; nothing is started."""
        body = {"input": input if isinstance(input, str) else dict(input), "version": version}
        sent = {name: value for name, value in body.items() if value is not None}
        return cast("Estimate", self._wire.post(path_to("agents", agent, "estimate"), sent))


class Budgets:
    """What may be spent, and how many runs may be active at once."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[BudgetState]:
        """Show every budget with what remains of it."""
        return cast("list[BudgetState]", self._wire.get("/budgets")["budgets"])

    def set(self, scope: Scope, limit_usd: float | str, *, agent: str | None = None) -> BudgetState:
        """Set a budget; `agent` names the one that a budget of scope agent is for."""
        body = {"limit_usd": str(limit_usd)}
        return cast("BudgetState", self._wire.put(_budget(scope, agent), body))

    def remove(self, scope: Scope, *, agent: str | None = None) -> None:
        """Stop bounding what a budget bounded."""
        self._wire.delete(_budget(scope, agent))

    def limits(self) -> RunLimits:
        """Show how many runs may be active at once."""
        return cast("RunLimits", self._wire.get("/limits"))

    def set_limits(self, *, active: int) -> RunLimits:
        """Be told by a 403 who sets how many runs may be active at once: the operator, by a command that it names."""
        return cast("RunLimits", self._wire.put("/limits", {"active": active}))


class Prices:
    """What models cost."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[dict[str, Any]]:
        """Show the price of every model; `agreed` marks those that differ from the list."""
        return cast("list[dict[str, Any]]", self._wire.get("/prices")["prices"])

    def set(self, model: str, price: Mapping[str, Any]) -> dict[str, Any]:
        """Agree on a price, with its `source` and `as_of`."""
        return self._wire.put(path_to("prices", model), dict(price))

    def remove(self, model: str) -> None:
        """Go back to the price that holds for all."""
        self._wire.delete(path_to("prices", model))


def _budget(scope: str, agent: str | None) -> str:
    return path_to("budgets", scope, *([agent] if agent else []))
