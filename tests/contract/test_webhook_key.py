"""The key from which the secrets of webhooks are derived."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from stepward.adapters.aws import secrets
from stepward.adapters.aws.secrets import WebhookKey
from stepward.domain.signatures import new_seed, secret_of, sign
from tests.support.mocked_aws import mocked_aws

NAME = "/stepward/test/webhook-key"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    secrets._webhook_keys.clear()
    with mocked_aws():
        yield
    secrets._webhook_keys.clear()


def parameters() -> list[dict[str, str]]:
    found: list[dict[str, str]] = boto3.client("ssm").describe_parameters()["Parameters"]
    return found


def test_who_may_make_it_makes_it_once_and_others_read_it() -> None:
    made = WebhookKey(NAME, makes=True)()
    secrets._webhook_keys.clear()
    assert WebhookKey(NAME)() == WebhookKey(NAME, makes=True)() == made
    assert [(one["Name"], one["Type"]) for one in parameters()] == [(NAME, "SecureString")]


def test_two_that_make_it_at_once_have_the_same() -> None:
    other = WebhookKey(NAME, makes=True)
    other._make()
    key = other()
    other._make()
    secrets._webhook_keys.clear()
    assert other() == key


def test_without_it_nothing_fits_and_nothing_is_made() -> None:
    key = WebhookKey(NAME)
    assert key() != key()
    assert parameters() == []


def test_what_is_kept_signs_nothing_without_the_key() -> None:
    key, seed = WebhookKey(NAME, makes=True), new_seed()
    secret = secret_of(seed, "acme", "hook", key)
    assert secret.startswith("whsec_")
    assert secret == secret_of(seed, "acme", "hook", key)
    assert seed.removeprefix("seed_") not in secret
    others = {
        secret_of(seed, "other", "hook", key),
        secret_of(seed, "acme", "other", key),
        secret_of(new_seed(), "acme", "hook", key),
        secret_of(seed, "acme", "hook", lambda: b"x" * 32),
    }
    assert len(others | {secret}) == 5
    assert sign(secret, "m", 1, b"") != sign(min(others), "m", 1, b"")


def test_a_secret_that_was_kept_whole_stays_good() -> None:
    assert secret_of("whsec_abc", "acme", "hook", WebhookKey(NAME)) == "whsec_abc"
