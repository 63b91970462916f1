"""The public keys of an issuer, found as OpenID Connect Discovery finds them, and held to a policy before they are used."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

CACHED_S = 7200.0
"""API Gateway keeps an issuer's keys for up to two hours."""

_ASKED_AGAIN_S = 5.0
_TIMEOUT_S = 3.0
_MAX_DOCUMENT_BYTES = 262_144
_MIN_KEY_BITS = 2048


class NoKey(Exception):
    """The issuer has no key that may be used; the message goes to the client."""


class IssuerKeys:
    """The keys of one issuer by their ids, fetched when a token asks for them."""

    def __init__(self, issuer: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """Take the issuer's URL; nothing is fetched before the first token."""
        self._issuer = issuer.rstrip("/")
        self._now_s = now_s
        self._lock = threading.Lock()
        self._keys: dict[str, RSAKey] = {}
        self._fetched_s: float | None = None

    def get(self, kid: str) -> RSAKey:
        """Return a key by its id.

        An unknown id makes the keys be fetched again, but not for every wrong token.
        """
        with self._lock:
            age_s = None if self._fetched_s is None else self._now_s() - self._fetched_s
            if age_s is None or age_s > CACHED_S or (kid not in self._keys and age_s > _ASKED_AGAIN_S):
                self._keys = usable_keys(self._fetch())
                self._fetched_s = self._now_s()
            try:
                return self._keys[kid]
            except KeyError:
                raise NoKey("the token was signed with an unknown key") from None

    def _fetch(self) -> dict[str, Any]:
        found = _document(f"{self._issuer}/.well-known/openid-configuration")
        return _document(str(found.get("jwks_uri", "")))


def usable_keys(document: dict[str, Any]) -> dict[str, RSAKey]:
    """Return the keys that may verify signatures.

    Named once, RSA, long enough and not meant for something else.
    """
    listed = [key for key in document.get("keys") or [] if isinstance(key, dict)]
    names = Counter(key.get("kid") for key in listed)
    found: dict[str, RSAKey] = {}
    for key in listed:
        kid = key.get("kid")
        if isinstance(kid, str) and names[kid] == 1 and (imported := _imported(key)) is not None:
            found[kid] = imported
    return found


def _imported(key: dict[str, Any]) -> RSAKey | None:
    is_for_signatures = key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ["verify"])
    if key.get("kty") != "RSA" or not is_for_signatures:
        return None
    try:
        public = RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
        is_long = public.public_key.key_size >= _MIN_KEY_BITS
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return public if is_long else None


def is_reachable(issuer: str) -> bool:
    """Whether an issuer may be asked: over TLS, or on this machine."""
    url = urlsplit(issuer)
    return bool(url.hostname) and (
        url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.hostname or ""))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _document(url: str) -> dict[str, Any]:
    if not is_reachable(url):
        raise NoKey("OIDC discovery endpoint communication error")
    handlers = [ProxyHandler({})] if _is_loopback(urlsplit(url).hostname or "") else []
    try:
        with build_opener(*handlers).open(url, timeout=_TIMEOUT_S) as answer:
            found = json.loads(answer.read(_MAX_DOCUMENT_BYTES))
    except (URLError, OSError, ValueError):
        raise NoKey("OIDC discovery endpoint communication error") from None
    return found if isinstance(found, dict) else {}
