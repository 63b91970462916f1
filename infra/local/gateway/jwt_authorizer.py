"""The JWT authorizer of an HTTP API: what it lets in, what a function learns of the token, and its two refusals.

The checks are those of "Control access to HTTP APIs with JWT authorizers": RSA signatures only, `kid`, `iss`, `aud` or
`client_id`, `exp`, `nbf`, `iat`, and one of the route's scopes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from infra.local.deployer.faults import DeployError
from infra.local.gateway.jwt_keys import IssuerKeys, NoKey, is_reachable
from infra.local.gateway.messages import Response, message

_ALGORITHMS = ["RS256", "RS384", "RS512"]
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenRefused(Exception):
    """The token does not get in."""

    def __init__(self, status: int, header: str) -> None:
        """Keep the status and what `www-authenticate` says."""
        super().__init__(header)
        answer = message(status, "Unauthorized" if status == 401 else "Forbidden")
        self.response = Response(status, [*answer.headers, ("www-authenticate", header)], answer.body)


class _Invalid(Exception):
    """Something about the token is wrong; the message goes to the client."""


@dataclass(frozen=True)
class JwtAuthorizer:
    """One authorizer with the scopes of one route."""

    source: str
    issuer: str
    audiences: frozenset[str]
    keys: IssuerKeys
    scopes: tuple[str, ...]
    now_s: Callable[[], float] = time.time

    def authorize(self, token: str | None) -> dict[str, Any]:
        """Give what the function sees as `requestContext.authorizer.jwt`."""
        if not token:
            raise TokenRefused(401, "Bearer")
        try:
            claims = self._claims(token.removeprefix("Bearer ").strip())
        except (_Invalid, NoKey) as fault:
            raise TokenRefused(401, self._header("invalid_token", str(fault))) from None
        held = _scopes(claims)
        granted = [scope for scope in self.scopes if scope in held]
        if self.scopes and not granted:
            raise TokenRefused(
                403, self._header("insufficient_scope", "the token does not have a required scope")
            )
        shown = {name: _text(value) for name, value in claims.items()}
        return {"claims": shown, "scopes": granted if self.scopes else None}

    def _header(self, error: str, description: str) -> str:
        return f'Bearer scope="{" ".join(self.scopes)}" error="{error}" error_description="{description}"'

    def _claims(self, token: str) -> dict[str, Any]:
        if not _COMPACT.fullmatch(token):
            raise _Invalid("the token is malformed")
        header = _object(token.split(".", 1)[0])
        if header.get("alg") not in _ALGORITHMS or "crit" in header or not isinstance(header.get("kid"), str):
            raise _Invalid("the token's header is not acceptable")
        key = self.keys.get(header["kid"])
        try:
            payload = jws.deserialize_compact(token, key, algorithms=_ALGORITHMS).payload
            claims = json.loads(payload)
        except (JoseError, ValueError, RecursionError):
            raise _Invalid("the token's signature is not valid") from None
        if not isinstance(claims, dict):
            raise _Invalid("the token is malformed")
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        now_s = self.now_s()
        if claims.get("iss") != self.issuer:
            raise _Invalid("the token does not have a valid issuer")
        audience = claims.get("aud", claims.get("client_id"))
        if not self.audiences.intersection(audience if isinstance(audience, list) else [audience]):
            raise _Invalid("the token does not have a valid audience")
        if _moment(claims, "exp", 0.0) <= now_s:
            raise _Invalid("the token has expired")
        if _moment(claims, "nbf", now_s) > now_s:
            raise _Invalid("the token is not valid yet")
        if _moment(claims, "iat", now_s) > now_s:
            raise _Invalid("the token was issued in the future")


def jwt_authorizer(properties: Mapping[str, Any], route: Mapping[str, Any]) -> JwtAuthorizer:
    """Read an authorizer of type JWT out of the template's properties."""
    name, configuration = properties.get("Name"), properties.get("JwtConfiguration") or {}
    issuer, sources = str(configuration.get("Issuer", "")), properties.get("IdentitySource") or []
    if not is_reachable(issuer):
        raise DeployError(f"authorizer {name}: the issuer {issuer!r} must be https, or http on this machine")
    if len(sources) != 1:
        raise DeployError(f"authorizer {name}: a JWT authorizer has exactly one IdentitySource")
    return JwtAuthorizer(
        source=str(sources[0]),
        issuer=issuer,
        audiences=frozenset(configuration.get("Audience") or []),
        keys=IssuerKeys(issuer),
        scopes=tuple(route.get("AuthorizationScopes") or ()),
    )


def _object(segment: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(segment.encode("ascii")))
    except (ValueError, RecursionError):
        raise _Invalid("the token is malformed") from None
    return found if isinstance(found, dict) else {}


def _moment(claims: Mapping[str, Any], name: str, absent: float) -> float:
    value = claims.get(name, absent)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Invalid(f"the token's {name} is not a number")
    return float(value)


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    held = claims.get("scope", claims.get("scp", ""))
    return set(held.split() if isinstance(held, str) else map(str, held if isinstance(held, list) else []))


def _text(value: Any) -> str:
    """Format a claim as API Gateway passes it on: a string, a list in brackets without commas."""
    if isinstance(value, list):
        return f"[{' '.join(_text(one) for one in value)}]"
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
