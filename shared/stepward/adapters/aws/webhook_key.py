"""The key from which a stage's webhook secrets are derived, in Systems Manager.

It costs nothing while no webhook exists, and KMS keeps it encrypted; the tables hold nothing that could sign a call.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated

_BYTES: Final = 32
_known: dict[str, bytes] = {}
"""Keys by their names: one never changes, so a process reads it once."""


@dataclass(frozen=True)
class WebhookKey:
    """Reads the key, and creates it with `makes`, which one function alone may do."""

    name: str
    makes: bool = False

    def __call__(self) -> bytes:
        """Return the key.

        Where none was made yet no webhook has a seed, so that a random key which fits nothing is returned.

        Where none was made yet no webhook has a seed, so that what is given for it fits nothing and is forgotten.

        time →   first webhook: none is there ─ put ✓        another at that moment: put ✗ it is there ─ reads it
        """
        found = _known.get(self.name) or self._read()
        if found is None and self.makes:
            self._make()
            found = self._read()
        if found is None:
            return secrets.token_bytes(_BYTES)
        _known[self.name] = found
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
                    Value=secrets.token_hex(_BYTES),
                    Type="SecureString",
                    Overwrite=False,
                )
            except ClientError as error:
                if error_code(error) != "ParameterAlreadyExists":
                    raise
