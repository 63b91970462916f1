"""Which records of a batch a function has failed, and which it gets at all.

Source: "Implementing partial batch responses" of the Lambda guide.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from infra.local.executor import InvocationResult
from stepward.domain.patterns import fits


def failed_ids(mapping: Any, result: InvocationResult | None, ids: Collection[str]) -> set[str]:
    """Return the ids of the failed records; an invalid response fails all of them."""
    if result is None or result.function_error is not None:
        return set(ids)
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    try:
        answer = json.loads(result.payload or b"null")
        failures = (answer or {}).get("batchItemFailures") or []
        named = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError):
        return set(ids)
    return min(named, set(ids))


def passes(mapping: Any, record: Mapping[str, Any]) -> bool:
    """Return whether a record matches one of the mapping's filters, or there is none."""
    filters = (mapping.filter_criteria or {}).get("Filters") or []
    return not filters or any(fits(json.loads(one["Pattern"]), record) for one in filters)
