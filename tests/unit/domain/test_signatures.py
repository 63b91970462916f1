"""Signatures of webhooks: the published example, and everything that is no signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stepward.domain.errors import NotAuthenticated
from stepward.domain.signatures import new_seed, secret_of, sign, verified_id

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT_S = 1_614_265_330
BODY = b'{"test": 2432232314}'
NOW = datetime.fromtimestamp(AT_S, UTC)
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(AT_S),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def another() -> str:
    return secret_of(new_seed(), "acme", "hook", lambda: b"k" * 32)


def test_the_example_of_the_specification_is_accepted() -> None:
    assert verified_id([SECRET], HEADERS, BODY, NOW) == HEADERS["webhook-id"]
    assert sign(SECRET, HEADERS["webhook-id"], AT_S, BODY) == HEADERS["webhook-signature"]


def test_one_of_several_signatures_and_secrets_is_enough() -> None:
    said = "v1,AAAA v1a,xyz v2 , " + HEADERS["webhook-signature"]
    headers = {**HEADERS, "webhook-signature": said}
    assert verified_id([another(), SECRET], headers, BODY, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-id": "a b"},
        {"webhook-timestamp": str(AT_S + 1)},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": HEADERS["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": " ".join(["v1,AAAA"] * 10 + [HEADERS["webhook-signature"]])},
    ],
)
def test_a_call_with_anything_changed_is_not_accepted(changed: dict[str, str]) -> None:
    with pytest.raises(NotAuthenticated):
        verified_id([SECRET], {**HEADERS, **changed}, BODY, NOW)


def test_another_body_or_secret_is_not_accepted() -> None:
    for secrets, body in (([SECRET], BODY + b" "), ([another()], BODY), ([], BODY)):
        with pytest.raises(NotAuthenticated):
            verified_id(secrets, HEADERS, body, NOW)


@pytest.mark.parametrize("away_s", [-301, 301])
def test_an_old_call_cannot_be_sent_again(away_s: int) -> None:
    with pytest.raises(NotAuthenticated, match="300 seconds"):
        verified_id([SECRET], HEADERS, BODY, NOW + timedelta(seconds=away_s))
    assert verified_id([SECRET], HEADERS, BODY, NOW + timedelta(seconds=away_s // 1.01))
