"""Keep of botocore's data what a function's clients read: all of AWS's services are 28 MB, and a function calls a few.

A client is made from its service's model and endpoint rules. Which services a function calls is what its grants allow,
and what `aws_services` in its `function.toml` names besides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from infra.config_errors import DefinitionError, unknown_word
from infra.constructs.permissions import Rule
from infra.function_configs import FunctionConfig
from infra.names import Arns, Names

CLIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "bedrock": ("bedrock-runtime",),
    "dynamodb": ("dynamodb",),
    "events": ("events",),
    "iam": (),  # PassRole is checked by the service that is given the role; nobody calls it
    "lambda": ("lambda",),
    "s3": ("s3",),
    "scheduler": ("scheduler",),
    "secretsmanager": ("secretsmanager",),
    "sqs": ("sqs",),
    "ssm": ("ssm",),
    "states": ("stepfunctions",),
}
"""IAM's name of a service → botocore's names of the clients that its actions are called by."""
OF_CREDENTIALS: Final = ("sso", "sso-oidc", "signin", "sts")
"""What botocore itself may call for credentials, whatever the function calls with them."""
_EXAMPLES: Final = "examples-1.json"


def services_of(
    function: FunctionConfig, words: Mapping[str, Rule], installed: Path
) -> frozenset[str] | None:
    """Return the services whose clients a function can make.

    Args:
        function: Its grants, and the `aws_services` that it names besides.
        words: What each grant means.
        installed: The folder of its installed packages, which knows all of AWS's services.

    Returns:
        Names as botocore has them, or none where all are to stay: in a folder of tools that does not say.

    Raises:
        DefinitionError: `aws_services` names what AWS does not have, or boto3 is not packed.
    """
    if function.tools and function.aws_services is None:
        return None
    file = Path("functions") / function.name / "function.toml"
    known = {folder.name for folder in _folders(installed / "botocore" / "data")}
    for name in function.aws_services or ():
        if not known:
            raise DefinitionError(f"{file}: aws_services: boto3 is not among the `packages`; add it there")
        if name not in known:
            raise unknown_word(file, "AWS service", name, known)
    return frozenset([*granted_services(function.grants, words), *(function.aws_services or ())])


def granted_services(grants: Iterable[str], words: Mapping[str, Rule]) -> frozenset[str]:
    """Return botocore's names of the services that grants allow to call."""
    anywhere = Arns(Names("any"), "aws", "us-east-1", "123456789012")
    granted = [words[word](anywhere) for word in grants]
    actions = [action for one in granted for allow in one.allows for action in allow.actions]
    prefixes = {
        *(action.partition(":")[0] for action in actions),
        *(s for one in granted for s in one.services),
    }
    for prefix in prefixes - CLIENTS.keys():
        raise DefinitionError(
            f"infra/aws_data.py: no client is known for {prefix}:…, which a grant allows; add it to CLIENTS"
        )
    return frozenset(client for prefix in prefixes for client in CLIENTS[prefix])


def trim(installed: Path, services: Collection[str]) -> None:
    """Remove botocore's data that no client of these services reads from installed packages.

    Args:
        installed: The folder that packages were installed into.
        services: Which to keep, by botocore's names; those of credentials stay besides.
    """
    for package in ("botocore", "boto3"):
        for file in (installed / package / "data").rglob("*"):
            if file.is_file() and not is_read(
                PurePosixPath(file.relative_to(installed).as_posix()), services
            ):
                file.unlink()
        for folder in sorted((installed / package / "data").rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def is_read(path: PurePosixPath, services: Collection[str]) -> bool:
    """Return whether clients of these services may read a file of an installed package.

    Args:
        path: Where it is, from the folder that packages are installed into.
        services: By botocore's names.
    """
    if len(path.parts) < 4 or path.parts[:2] not in {("botocore", "data"), ("boto3", "data")}:
        return True
    return path.name != _EXAMPLES and (path.parts[2] in services or path.parts[2] in OF_CREDENTIALS)


def _folders(data: Path) -> list[Path]:
    return [folder for folder in data.iterdir() if folder.is_dir()] if data.is_dir() else []
