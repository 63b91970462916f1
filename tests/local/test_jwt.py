"""A JWT authorizer lets in what the issuer signed for this API and this moment, and says with AWS's words what is wrong."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts
from infra.local.gateway import GatewayServer, HttpApi
from infra.local.gateway.jwt_keys import CACHED_S, IssuerKeys, NoKey, usable_keys
from infra.local.laptop import Laptop

AUDIENCE = "stepward"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
NEXT = RSAKey.generate_key(2048, {"kid": "next"})
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})


class Issuer:
    """An OpenID provider on this machine."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.keys: list[dict[str, Any]] = [KEY.as_dict(private=False), CURVE.as_dict(private=False)]
        self.is_ill = False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetched.append(self.path)
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                    },
                    "/keys": {"keys": issuer.keys},
                }
                body = json.dumps(documents[self.path]).encode()
                self.send_response(500 if issuer.is_ill else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def claims(self, **changed: Any) -> dict[str, Any]:
        now_s = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "exp": now_s + 600, "iat": now_s - 10}
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def token(
        self, key: Any = KEY, alg: str = "RS256", header: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        header = {"alg": alg, "kid": key.kid} | (header or {})
        return jwt.encode(header, self.claims(**changed), key, algorithms=[alg])


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def door(laptop: Laptop, issuer: Issuer) -> Iterator[httpx2.Client]:
    """An HTTP API with the authorizer, in front of the small stack's functions."""
    gateway = GatewayServer(0, lambda _: None)
    gateway.serve(HttpApi(parts(issuer.url), laptop._executor))
    with httpx2.Client(base_url=gateway.url, timeout=20, trust_env=False) as client:
        yield client
    gateway.close()


def parts(issuer: str, **changed: Any) -> HttpApiParts:
    jwt_settings = {"Issuer": issuer, "Audience": [AUDIENCE, "another"]}
    authorizer = {
        "AuthorizerType": "JWT",
        "Name": "tokens",
        "IdentitySource": ["$request.header.Authorization"],
    }
    guarded = {"ApiId": "A", "Target": "integrations/I", "AuthorizationType": "JWT", "AuthorizerId": "J"}
    return HttpApiParts(
        apis={"A": {"ProtocolType": "HTTP"}},
        integrations={
            "I": {
                "IntegrationType": "AWS_PROXY",
                "PayloadFormatVersion": "2.0",
                "IntegrationUri": "arn:aws:lambda:us-east-1:123456789012:function:small-echo",
            }
        },
        routes={
            "R": guarded | {"RouteKey": "GET /me"},
            "S": guarded | {"RouteKey": "GET /scoped", "AuthorizationScopes": ["read", "admin"]},
        },
        authorizers={"J": authorizer | {"JwtConfiguration": jwt_settings} | changed},
    )


def ask(door: httpx2.Client, token: str, path: str = "/me", prefix: str = "Bearer ") -> httpx2.Response:
    return door.get(path, headers={"Authorization": prefix + token})


@pytest.mark.parametrize("prefix", ["Bearer ", ""])
@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_a_good_token_gets_in_and_its_claims_are_told(
    door: httpx2.Client, issuer: Issuer, prefix: str, alg: str
) -> None:
    answer = ask(door, issuer.token(alg=alg, groups=["a", "b"], admin=True, level=3), prefix=prefix)
    assert answer.status_code == 200, answer.headers
    told = answer.json()["event"]["requestContext"]["authorizer"]["jwt"]
    assert told["scopes"] is None
    assert told["claims"]["sub"] == "ada"
    assert (told["claims"]["groups"], told["claims"]["admin"], told["claims"]["level"]) == (
        "[a b]",
        "true",
        "3",
    )


@pytest.mark.parametrize(
    "changed", [{"aud": ["x", "another"]}, {"aud": None, "client_id": AUDIENCE}, {"nbf": 5}, {"iat": None}]
)
def test_other_good_tokens(door: httpx2.Client, issuer: Issuer, changed: dict[str, Any]) -> None:
    assert ask(door, issuer.token(**changed)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"exp": None}, "the token has expired"),
        ({"exp": "9999999999"}, "exp is not a number"),
        ({"exp": True}, "exp is not a number"),
        ({"nbf": 9_999_999_999}, "not valid yet"),
        ({"iat": 9_999_999_999}, "issued in the future"),
        ({"aud": "somebody"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"aud": "somebody", "client_id": AUDIENCE}, "the token does not have a valid audience"),
        ({"iss": "http://127.0.0.1:1"}, "valid issuer"),
        ({"iss": None}, "valid issuer"),
    ],
)
def test_wrong_claims(door: httpx2.Client, issuer: Issuer, changed: dict[str, Any], says: str) -> None:
    refused(ask(door, issuer.token(**changed)), says)


def refused(answer: httpx2.Response, says: str) -> None:
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    header = answer.headers["www-authenticate"]
    assert header.startswith('Bearer scope="" error="invalid_token" error_description="')
    assert says in header


def _signed(header: dict[str, Any], key: Any, issuer: Issuer) -> str:
    algorithms = ["RS256", "ES256", "HS256", "none"]
    return jws.serialize_compact(header, json.dumps(issuer.claims()), key, algorithms=algorithms)


def _unsigned(issuer: Issuer) -> str:
    parts = [{"alg": "none", "kid": "one"}, issuer.claims()]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def _hmac_by_public_key(issuer: Issuer) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    key = OctKey.import_key(base64.b64encode(KEY.as_dict(private=False)["n"].encode()).decode())
    signed: str = jwt.encode({"alg": "HS256", "kid": "one"}, issuer.claims(), key)
    return ".".join([head, *signed.split(".")[1:]])


FORGERIES: dict[str, Callable[[Issuer], str]] = {
    "another key": lambda issuer: issuer.token(OTHER),
    "an unknown key": lambda issuer: issuer.token(NEXT),
    "elliptic curves, which API Gateway does not take": lambda issuer: issuer.token(CURVE, "ES256"),
    "no signature": _unsigned,
    "a secret made of the public key": _hmac_by_public_key,
    "no kid": lambda issuer: _signed({"alg": "RS256"}, KEY, issuer),
    "a changed payload": lambda issuer: issuer.token().replace(".", ".e", 1),
    "a padded segment": lambda issuer: issuer.token() + "=",
    "words": lambda _: "let me in",
    "two parts": lambda issuer: issuer.token().rsplit(".", 1)[0],
    "a deep header": lambda _: base64.urlsafe_b64encode(b"[" * 30_000).rstrip(b"=").decode() + ".e30.e30",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgeries(door: httpx2.Client, issuer: Issuer, forgery: str) -> None:
    refused(ask(door, FORGERIES[forgery](issuer)), "the token")


def test_no_token(door: httpx2.Client) -> None:
    answer = door.get("/me")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("claim", [{"scope": "other read"}, {"scp": ["read"]}, {"scp": "read"}])
def test_one_of_the_routes_scopes_is_enough(
    door: httpx2.Client, issuer: Issuer, claim: dict[str, Any]
) -> None:
    answer = ask(door, issuer.token(**claim), "/scoped")
    assert answer.json()["event"]["requestContext"]["authorizer"]["jwt"]["scopes"] == ["read"]


@pytest.mark.parametrize("claim", [{}, {"scope": "write readme"}, {"scp": [1, None]}, {"scope": 5}])
def test_without_a_scope_it_is_forbidden(door: httpx2.Client, issuer: Issuer, claim: dict[str, Any]) -> None:
    answer = ask(door, issuer.token(**claim), "/scoped")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert 'Bearer scope="read admin" error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_keys_are_fetched_once(door: httpx2.Client, issuer: Issuer) -> None:
    assert {ask(door, issuer.token()).status_code for _ in range(3)} == {200}
    assert issuer.fetched == ["/.well-known/openid-configuration", "/keys"]


def test_an_issuer_that_does_not_answer(door: httpx2.Client, issuer: Issuer) -> None:
    issuer.is_ill = True
    refused(ask(door, issuer.token()), "OIDC discovery endpoint communication error")


def test_a_new_key_is_found_and_an_old_one_forgotten(issuer: Issuer) -> None:
    now_s = [0.0]
    keys = IssuerKeys(issuer.url, lambda: now_s[0])
    keys.get("one")
    issuer.keys = [NEXT.as_dict(private=False)]
    with pytest.raises(NoKey):
        keys.get("next")
    now_s[0] = 10.0
    keys.get("next")
    issuer.keys = []
    keys.get("next")
    now_s[0] += CACHED_S + 1
    with pytest.raises(NoKey):
        keys.get("next")


def test_keys_that_are_not_fit_are_left_out() -> None:
    good = KEY.as_dict(private=False)
    assert set(usable_keys({"keys": [good]})) == {"one"}
    for unfit in (
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"kid": 5},
        {"n": "AQAB"},
        {"kty": "EC"},
        {"e": "%"},
    ):
        assert usable_keys({"keys": [good | unfit]}) == {}, unfit
    assert usable_keys({"keys": [good, good]}) == {}
    assert usable_keys({"keys": "none"}) == {}


@pytest.mark.parametrize("issuer_url", ["", "http://example.com", "ftp://127.0.0.1", "file:///etc/passwd"])
def test_an_issuer_elsewhere_needs_tls(issuer_url: str, laptop: Laptop) -> None:
    with pytest.raises(DeployError, match="issuer"):
        HttpApi(parts(issuer_url), laptop._executor)


def test_one_identity_source(laptop: Laptop) -> None:
    with pytest.raises(DeployError, match="IdentitySource"):
        HttpApi(parts("https://issuer.example", IdentitySource=[]), laptop._executor)
