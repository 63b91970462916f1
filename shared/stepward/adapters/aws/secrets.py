"""Secrets of a stage: providers' keys in Secrets Manager, the webhooks' key in Systems Manager."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError
from pydantic import ValidationError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.domain.errors import Bug
from stepward.domain.provider_pools import Pool, is_pool, pool_name, read_pool
from stepward.ports.providers import SHARED, ProviderEntry, ProviderKey, keys_of, read_entries

_NO_SUCH: Final = "ResourceNotFoundException"
_IS_THERE: Final = "ResourceExistsException"
_IS_GOING: Final = "InvalidRequestException"
"""Error code for a secret that is marked for deletion."""
_DAYS_TO_CHANGE_ONES_MIND: Final = 7


@dataclass(frozen=True)
class SecretsManagerPools:
    """Reads and writes a stage's secrets, uncached; their names begin with `prefix`."""

    prefix: str

    def read(self, provider: str, owner: str) -> Pool | None:
        """Read a pool."""
        name = self._name(provider, owner)
        with translated(f"reading the secret {name}"):
            try:
                said = client("secretsmanager").get_secret_value(SecretId=name)
            except ClientError as error:
                if error_code(error) not in (_NO_SUCH, _IS_GOING):
                    raise
                return None
        return read_pool(name, said.get("SecretString", ""))

    def write(self, provider: str, owner: str, pool: Pool) -> None:
        """Replace a pool, or create it; a deleted one can be restored in AWS for seven days.

        time →   A: create ✓                   B, at that moment: create ✗ it is there ─ put ✓, the newest holds
                 it is marked for deletion     A: create ✗ ─ restore ✓ ─ put ✓
        """
        name, text = self._name(provider, owner), pool.model_dump_json(exclude_none=True)
        with translated(f"writing the secret {name}"), _values_hidden(pool):
            if not pool.keys:
                self._delete(name)
            elif not self._create(name, text):
                self._put(name, text)

    def names(self) -> list[tuple[str, str]]:
        """List provider and owner of every pool."""
        filters = [{"Key": "name", "Values": [f"{self.prefix}/"]}]
        with translated("listing secrets"):
            pages = client("secretsmanager").get_paginator("list_secrets").paginate(Filters=filters)
            found = [secret["Name"] for page in pages for secret in page["SecretList"]]
        # A filter of Secrets Manager ignores case, so that it may find more.
        rests = (name.removeprefix(f"{self.prefix}/") for name in found if name.startswith(f"{self.prefix}/"))
        pairs = [(provider, owner) for provider, _, owner in (rest.partition("/") for rest in rests)]
        return sorted(pair for pair in pairs if is_pool(*pair))

    def _create(self, name: str, text: str) -> bool:
        """Create a secret; False if it exists, perhaps marked for deletion."""
        try:
            client("secretsmanager").create_secret(
                Name=name, Description="Keys of a provider of models, for Stepward.", SecretString=text
            )
        except ClientError as error:
            if error_code(error) not in (_IS_THERE, _IS_GOING):
                raise
            return False
        return True

    def _put(self, name: str, text: str) -> None:
        secrets = client("secretsmanager")
        if secrets.describe_secret(SecretId=name).get("DeletedDate"):
            secrets.restore_secret(SecretId=name)
        secrets.put_secret_value(SecretId=name, SecretString=text)

    def _delete(self, name: str) -> None:
        try:
            client("secretsmanager").delete_secret(
                SecretId=name, RecoveryWindowInDays=_DAYS_TO_CHANGE_ONES_MIND
            )
        except ClientError as error:
            if error_code(error) not in (_NO_SUCH, _IS_GOING):
                raise

    def _name(self, provider: str, owner: str) -> str:
        return f"{self.prefix}/{pool_name(provider, owner)}"


@contextmanager
def _values_hidden(pool: Pool) -> Iterator[None]:
    """Keep keys out of AWS's error messages about a request that contains them."""
    try:
        yield
    except ClientError as error:
        fault = error.response["Error"]
        for key in pool.keys:
            fault["Message"] = fault.get("Message", "").replace(key.value.get_secret_value(), "…")
        raise ClientError(error.response, error.operation_name) from None


@dataclass(frozen=True)
class SecretsManagerKeys:
    """Reads keys for calls, uncached."""

    prefix: str

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Return the tenant's own keys, else the shared ones."""
        pools = SecretsManagerPools(self.prefix)
        return keys_of(pools.read(provider, tenant)) or keys_of(pools.read(provider, SHARED))

    def forget(self, tenant: str, provider: str) -> None:
        """Do nothing: this adapter caches no keys."""


_NO_PARAMETER: Final = "ResourceNotFoundException"


def caller_of_models(stage: str) -> str:
    """Return the name of the function that calls models."""
    return f"stepward-{stage}-agent-advance"


def stage_providers(stage: str) -> tuple[ProviderEntry, ...] | None:
    """Read a stage's provider entries from the settings of its function.

    Args:
        stage: The stage's name.

    Returns:
        The built-in entries and the stage's own; None where nothing is deployed under that name.

    Raises:
        StepwardError: AWS did not answer, or does not let the caller ask.
        Bug: What the function has in its settings are no entries.
    """
    name = caller_of_models(stage)
    with translated(f"reading the settings of {name}"):
        try:
            said = client("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if error_code(error) != _NO_PARAMETER:
                raise
            return None
    try:
        return read_entries(said.get("Environment", {}).get("Variables", {}).get("PROVIDERS", ""))
    except ValidationError as error:
        raise Bug(f"PROVIDERS of {name} holds no entries of providers") from error


_WEBHOOK_KEY_BYTES: Final = 32


_webhook_keys: dict[str, bytes] = {}


"""Keys by their names: one never changes, so a process reads it once."""


@dataclass(frozen=True)
class WebhookKey:
    """Reads the key of webhooks, and creates it with `makes`, which one function alone may do.

    It costs nothing while no webhook exists, and KMS keeps it encrypted; the tables hold nothing that could sign a call.
    """

    name: str
    makes: bool = False

    def __call__(self) -> bytes:
        """Return the key.

        Where none was made yet no webhook has a seed, so that a random key which fits nothing is returned.

        Where none was made yet no webhook has a seed, so that what is given for it fits nothing and is forgotten.

        time →   first webhook: none is there ─ put ✓        another at that moment: put ✗ it is there ─ reads it
        """
        found = _webhook_keys.get(self.name) or self._read()
        if found is None and self.makes:
            self._make()
            found = self._read()
        if found is None:
            return secrets.token_bytes(_WEBHOOK_KEY_BYTES)
        _webhook_keys[self.name] = found
        return found

    def _read(self) -> bytes | None:
        with translated("reading the key of webhooks"):
            try:
                said = client("ssm").get_parameter(Name=self.name, WithDecryption=True)
            except ClientError as error:
                if error_code(error) != "ParameterNotFound":
                    raise
                return None
        return bytes.fromhex(said["Parameter"]["Value"])

    def _make(self) -> None:
        with translated("making the key of webhooks"):
            try:
                client("ssm").put_parameter(
                    Name=self.name,
                    Description="The secrets of Stepward's webhooks are derived from this.",
                    Value=secrets.token_hex(_WEBHOOK_KEY_BYTES),
                    Type="SecureString",
                    Overwrite=False,
                )
            except ClientError as error:
                if error_code(error) != "ParameterAlreadyExists":
                    raise
