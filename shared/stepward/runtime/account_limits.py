"""Sets how many runs of all tenants may be active at once: `python -m stepward.runtime.account_limits --active 200`.

Run by an operator with AWS credentials and REGISTRY_TABLE set, because no tenant may decide this; starts heed it within
15 seconds. Without `--active` it prints what holds.
"""

from __future__ import annotations

import argparse
import sys

from pydantic import ValidationError

from stepward.domain.budgets import AccountLimits
from stepward.domain.errors import StepwardError
from stepward.runtime.money import limits_store


def main(arguments: list[str] | None = None) -> int:
    """Set or print the account's limit."""
    parser = argparse.ArgumentParser(prog="stepward.runtime.account_limits", description=__doc__)
    parser.add_argument("--active", type=int, help="how many runs may be active, of all tenants together")
    chosen = parser.parse_args(arguments)
    store = limits_store()
    try:
        if chosen.active is not None:
            shards = store.account().shards
            store.change_account(AccountLimits(active=chosen.active, shards=shards))
        sys.stdout.write(f"active: {store.account().active}\n")
    except ValidationError as error:
        sys.stderr.write(f"InvalidRequest: active: {error.errors()[0]['msg']}\n")
        return 2
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
