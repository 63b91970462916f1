"""Issues an API key: `python -m stepward.runtime.issue_key --tenant acme --principal ci`.

Run by an operator with AWS credentials and IDENTITY_TABLE set; the key is printed once and stored as a hash.
"""

from __future__ import annotations

import argparse
import sys

from stepward.domain.errors import StepwardError
from stepward.runtime.wiring import api_keys


def main(arguments: list[str] | None = None) -> int:
    """Issue one key and print it."""
    parser = argparse.ArgumentParser(prog="stepward.runtime.issue_key", description=__doc__)
    parser.add_argument("--tenant", required=True, help="whose data the key opens")
    parser.add_argument("--principal", required=True, help="who holds the key, as logs and runs name it")
    chosen = parser.parse_args(arguments)
    try:
        sys.stdout.write(api_keys().issue(chosen.tenant, chosen.principal) + "\n")
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
