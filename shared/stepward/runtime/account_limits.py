"""Set how many runs may be active at once: `python -m stepward.runtime.account_limits [--tenant acme] --active 200`.

With `--tenant` it is that tenant's runs, without it those of all tenants together. Run by an operator with AWS
credentials and REGISTRY_TABLE set, because no tenant may decide this; starts follow it within 15 seconds. Without
`--active` it prints what holds.
"""

from __future__ import annotations

import argparse
import sys

from pydantic import ValidationError

from stepward.domain.errors import StepwardError
from stepward.domain.ids import TENANT_PATTERN, check_id
from stepward.runtime.container import container


def main(arguments: list[str] | None = None) -> int:
    """Set or print a limit; return the exit code."""
    parser = argparse.ArgumentParser(prog="stepward.runtime.account_limits", description=__doc__)
    parser.add_argument("--tenant", help="whose runs are limited; without it those of all tenants together")
    parser.add_argument("--active", type=int, help="how many runs may be active at once")
    chosen = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"active: {_limit(chosen.tenant, chosen.active)}\n")
    except ValidationError as error:
        sys.stderr.write(f"InvalidRequest: active: {error.errors()[0]['msg']}\n")
        return 2
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 1
    return 0


def _limit(tenant: str | None, active: int | None) -> int:
    """Set the limit if one is given, and read what holds."""
    store, limits = container.ports.limits_store, container.costs.run_limits
    if tenant is None:
        if active is not None:
            limits.set_account(active)
        return store.account().active
    check_id("tenant", tenant, TENANT_PATTERN)
    if active is not None:
        limits.set_tenant(tenant, active)
    return store.tenant(tenant).active


if __name__ == "__main__":
    sys.exit(main())
