"""Where the laptop's resources live, so that ARNs look the same in every room, log and test."""

from __future__ import annotations

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
PARTITION = "aws"


def function_arn(name: str) -> str:
    """Spell a function's ARN in one place, because the executor and the deployer must agree on it."""
    return f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"


def function_name(reference: str) -> str:
    """Take the name out of a name, an ARN or a qualified ARN: callers of Lambda may use any of them."""
    if not reference.startswith("arn:"):
        return reference.split(":", maxsplit=1)[0]
    return reference.split(":")[6]
