"""The account and region of the laptop, and the ARNs of its functions."""

from __future__ import annotations

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
PARTITION = "aws"


def function_arn(name: str) -> str:
    """Return a function's ARN.

    The executor and the deployer must agree on it.
    """
    return f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"


def function_name(reference: str) -> str:
    """Return the function's name in a name, an ARN or a qualified ARN."""
    if not reference.startswith("arn:"):
        return reference.split(":", maxsplit=1)[0]
    return reference.split(":")[6]
