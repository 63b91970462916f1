"""Says that the platform is up, and whether what it depends on answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import stepward
from stepward.domain.errors import StepwardError
from stepward.domain.runs import RunKey
from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.runtime.http import answer, routes
from stepward.runtime.logs import logger

router = routes()
_NOBODY = RunKey(tenant="-", run="-")


@router.get("/api/health")
def health() -> Any:
    """Answer without asking anybody."""
    return answer(200, {"status": "ok", "stage": settings().stage, "version": stepward.__version__})


@router.get("/api/health/ready")
def ready() -> Any:
    """Answer 200 when every table can be read, 503 with the reason when one cannot."""
    looks: dict[str, Callable[[], Any]] = {
        "journal": lambda: wiring.journal().newest(_NOBODY),
        "runtime": lambda: wiring.runtime_state().head(_NOBODY),
        "registry": lambda: wiring.registry().agent("-", "-"),
    }
    checks = {name: _look(look) for name, look in looks.items()}
    good = all(said == "ok" for said in checks.values())
    return answer(200 if good else 503, {"status": "ready" if good else "not ready", "checks": checks})


def _look(look: Callable[[], Any]) -> str:
    try:
        look()
    except StepwardError as error:
        logger.error("not ready", code=error.code, success=False, exc_info=error)
        return error.code
    return "ok"
