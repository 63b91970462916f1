"""Count what alarms and dashboards need: metrics in CloudWatch's embedded format, one line of the log each."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Stepward"


def count_prompt_render(was_cached: bool) -> None:
    """Count a render of a prompt, as 1 for a hit of the cache and 0 for a miss.

    The average of the metric is the hit rate.

    Args:
        was_cached: Whether the text was there already.
    """
    with single_metric(
        name="PromptCacheHit", unit=MetricUnit.Count, value=int(was_cached), namespace=NAMESPACE
    ):
        pass
