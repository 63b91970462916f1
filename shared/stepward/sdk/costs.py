"""Read and bound money: what was spent, what may be spent, what models cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from stepward.sdk.transport import Transport, path_to

By = Literal["tenant", "agent", "model", "workflow", "day"]
Scope = Literal["tenant", "day", "month", "agent"]


class Sums(TypedDict):
    """What was used and what it cost in micro-dollars, by who is paid."""

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
    """Costs by `by`: each of `costs` also names its tenant, agent, model, workflow or day.

    A workflow's line is what it cost itself; its agents have theirs. What has none of what was asked for has an empty name.
    """

    by: By
    costs: list[dict[str, Any]]
    total: Sums


class BudgetState(TypedDict):
    """One budget and what remains of it; `alerts` has the time of each level's alert."""

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
    """Read costs and estimates: `stepward.costs`.

    Example:
        >>> stepward.costs.report(by="agent")["by"]
        'agent'
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def report(self, *, by: By = "day", first: str | None = None, last: str | None = None) -> CostReport:
        """Sum costs up.

        Args:
            by: What each line is for: tenant, agent, model, workflow or day. Default: day.
            first: The first UTC day, YYYY-MM-DD. Default: the first of this month.
            last: The last UTC day; at most 92 days in all. Default: today.

        Returns:
            Lines and their total, in micro-dollars.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        return cast("CostReport", self._wire.get("/costs", {"by": by, "from": first, "to": last}))

    def estimate(
        self,
        agent: str,
        input: str | Mapping[str, Any],  # noqa: A002  the API's own word for it
        *,
        version: str | None = None,
    ) -> Estimate:
        """Estimate what a run would cost; nothing is started.

        Args:
            agent: The agent's id.
            input: The input, as for `start_run`.
            version: A version or a label. Default: the newest.

        Returns:
            The least, expected and most cost in micro-dollars; expected is None without past runs.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` for an input that does not fit.

        Example:
            >>> estimate = stepward.costs.estimate("support-refunds", {"ticket_id": "T-1001"})
            >>> estimate["least"].keys() == estimate["most"].keys()
            True
        """
        body = {"input": input if isinstance(input, str) else dict(input), "version": version}
        sent = {name: value for name, value in body.items() if value is not None}
        return cast("Estimate", self._wire.post(path_to("agents", agent, "estimate"), sent))


class Budgets:
    """Budgets and the limit of active runs: `stepward.budgets`.

    Example:
        >>> stepward.budgets.limits()["active"] > 0
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[BudgetState]:
        """List the budgets with what remains of each.

        Returns:
            The budgets.
        """
        return cast("list[BudgetState]", self._wire.get("/budgets")["budgets"])

    def set(self, scope: Scope, limit_usd: float | str, *, agent: str | None = None) -> BudgetState:
        """Set a budget.

        Args:
            scope: Of the tenant in all, of each day, of each month, or of one agent.
            limit_usd: The limit in dollars, to six decimals.
            agent: The agent, for a budget of scope agent.

        Returns:
            The budget as it is now.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        body = {"limit_usd": str(limit_usd)}
        return cast("BudgetState", self._wire.put(_budget(scope, agent), body))

    def remove(self, scope: Scope, *, agent: str | None = None) -> None:
        """Remove a budget.

        Args:
            scope: As for `set`.
            agent: As for `set`.

        Raises:
            ApiError: `NotFound`.
        """
        self._wire.delete(_budget(scope, agent))

    def limits(self) -> RunLimits:
        """Return how many runs may be active at once.

        Returns:
            The limits of the tenant and of the account.
        """
        return cast("RunLimits", self._wire.get("/limits"))

    def set_limits(self, *, active: int) -> RunLimits:
        """Ask for another limit of active runs; the API refuses, as only the operator may set it.

        Args:
            active: How many runs.

        Returns:
            Never: the API refuses.

        Raises:
            ApiError: `NotAllowed`; `fix` has the operator's command.
        """
        return cast("RunLimits", self._wire.put("/limits", {"active": active}))


class Prices:
    """Prices of models: `stepward.prices`.

    Example:
        >>> len(stepward.prices.list()) > 0
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[dict[str, Any]]:
        """List the price of every model; `agreed` marks those that differ from the list.

        Returns:
            The prices, in dollars for a million tokens.
        """
        return cast("list[dict[str, Any]]", self._wire.get("/prices")["prices"])

    def set(self, model: str, price: Mapping[str, Any]) -> dict[str, Any]:
        """Set an agreed price of a model.

        Args:
            model: The model's id or alias.
            price: Dollars for a million tokens, with `source` and `as_of`.

        Returns:
            The price as it is kept; calls are priced by it within a minute.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        return self._wire.put(path_to("prices", model), dict(price))

    def remove(self, model: str) -> None:
        """Remove an agreed price: the list's holds again.

        Args:
            model: The model's id or alias.

        Raises:
            ApiError: `NotFound`.
        """
        self._wire.delete(path_to("prices", model))


def _budget(scope: str, agent: str | None) -> str:
    return path_to("budgets", scope, *([agent] if agent else []))
