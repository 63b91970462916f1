"""Keys of providers, in both worlds, and how long a process remembers them."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from stepward.adapters.aws import clients
from stepward.adapters.aws.secrets import SecretsManagerKeys, SecretsManagerPools
from stepward.adapters.memory.providers import MemoryPools, MemoryProviderKeys
from stepward.domain.errors import Bug, InvalidRequest, ProviderRefused
from stepward.domain.provider_pools import Pool
from stepward.ports.providers import ProviderKey, ProviderKeys, ProviderPools
from stepward.runtime.cached_ports import KEYS_KEPT_S, CachedKeys
from tests.support.mocked_aws import mocked_aws

PREFIX = "stepward/test/providers"
PLANTED = "sk-planted-0123456789"
Store = Callable[[str, str, str], None]


@pytest.fixture(params=["memory", "aws"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[ProviderKeys, Store]]:
    if request.param == "memory":
        kept = MemoryProviderKeys()

        def put(provider: str, owner: str, text: str) -> None:
            kept.pools.texts[f"{provider}/{owner}"] = text

        yield kept, put
        return
    with mocked_aws():
        secrets = boto3.client("secretsmanager")

        def put_secret(provider: str, owner: str, text: str) -> None:
            secrets.create_secret(Name=f"{PREFIX}/{provider}/{owner}", SecretString=text)

        yield SecretsManagerKeys(PREFIX), put_secret


def a_pool(*values: str) -> str:
    return json.dumps({"keys": [{"id": f"k{place}", "value": value} for place, value in enumerate(values)]})


def values(keys: tuple[ProviderKey, ...]) -> list[str]:
    return [key.value.get_secret_value() for key in keys]


def test_nobody_has_set_one(world: tuple[ProviderKeys, Store]) -> None:
    assert world[0].of("acme", "anthropic") == ()


def test_who_has_none_of_its_own_uses_the_shared_ones_in_their_order(
    world: tuple[ProviderKeys, Store],
) -> None:
    keys, put = world
    put("anthropic", "shared", a_pool("sk-000-1", "sk-000-2"))
    found = keys.of("acme", "anthropic")
    assert [key.id for key in found] == ["k0", "k1"]
    assert values(found) == ["sk-000-1", "sk-000-2"]


def test_a_tenants_own_stand_before_the_shared_and_are_its_own(world: tuple[ProviderKeys, Store]) -> None:
    keys, put = world
    put("anthropic", "shared", a_pool("sk-000-shared"))
    put("anthropic", "acme", a_pool("sk-000-acme"))
    assert values(keys.of("acme", "anthropic")) == ["sk-000-acme"]
    assert values(keys.of("acme-2", "anthropic")) == ["sk-000-shared"]


def test_providers_have_keys_of_their_own(world: tuple[ProviderKeys, Store]) -> None:
    keys, put = world
    put("anthropic", "shared", a_pool("sk-000-shared"))
    assert keys.of("acme", "openai") == ()


def test_a_pool_that_was_emptied_is_none(world: tuple[ProviderKeys, Store]) -> None:
    keys, put = world
    put("anthropic", "acme", '{"keys": []}')
    put("anthropic", "shared", a_pool("sk-000-shared"))
    assert values(keys.of("acme", "anthropic")) == ["sk-000-shared"]


@pytest.mark.parametrize(
    "text",
    [
        PLANTED,
        f'"{PLANTED}"',
        f'["{PLANTED}"]',
        f'{{"keys": "{PLANTED}"}}',
        f'{{"keys": ["{PLANTED}"]}}',
        f'{{"keys": [{{"value": "{PLANTED}"}}]}}',
        f'{{"keys": [{{"id": "{PLANTED} ", "value": "xxxxxxxx"}}]}}',
        f'{{"keys": [{{"id": "a", "value": "{PLANTED}\\nX-Other: 1"}}]}}',
        f'{{"keys": [{{"id": "a", "value": "{PLANTED} "}}]}}',
        f'{{"keys": [{{"id": "a", "value": "{PLANTED}"}}, {{"id": "a", "value": "{PLANTED}"}}]}}',
        f'{{"keys": [{{"id": "a", "value": ["{PLANTED}"]}}]}}',
        f'{{"{PLANTED}": 1}}',
        f'{{"keys": [{{"id": "a", "value": "{PLANTED}"}}',
        "{}",
    ],
)
def test_a_malformed_secret_is_named_and_nothing_of_it_is_told(
    world: tuple[ProviderKeys, Store], text: str
) -> None:
    keys, put = world
    put("anthropic", "shared", text)
    with pytest.raises(ProviderRefused, match="anthropic/shared") as told:
        keys.of("acme", "anthropic")
    everything = "".join(traceback.format_exception(told.value, chain=True)) + repr(told.value.__context__)
    assert PLANTED not in everything
    assert "provider_keys" in str(told.value.fix)


@pytest.mark.parametrize(
    "key", [("acme/../globex", "anthropic"), ("acme", "anthropic/globex"), ("", "x"), ("*", "x")]
)
def test_names_that_are_none_never_become_part_of_a_secrets(
    world: tuple[ProviderKeys, Store], key: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRequest):
        world[0].of(*key)


def test_a_key_shows_its_value_to_no_log(world: tuple[ProviderKeys, Store]) -> None:
    keys, put = world
    put("anthropic", "shared", a_pool(PLANTED))
    (key,) = keys.of("acme", "anthropic")
    assert PLANTED not in f"{key!r} {key} {key.fingerprint} {keys!r}"
    assert PLANTED not in json.dumps({"key": key}, default=str)


@pytest.mark.parametrize("world", ["aws"], indirect=True)
def test_a_secret_that_is_marked_for_deletion_is_none(world: tuple[ProviderKeys, Store]) -> None:
    keys, put = world
    put("anthropic", "acme", a_pool("sk-000-acme"))
    boto3.client("secretsmanager").delete_secret(SecretId=f"{PREFIX}/anthropic/acme")
    assert keys.of("acme", "anthropic") == ()


@pytest.fixture(params=["memory", "aws"])
def pools(request: pytest.FixtureRequest) -> Iterator[ProviderPools]:
    if request.param == "memory":
        yield MemoryPools()
        return
    with mocked_aws():
        yield SecretsManagerPools(PREFIX)


def pool_of(*values: str) -> Pool:
    return Pool.model_validate_json(a_pool(*values))


def test_a_pool_is_made_replaced_and_taken_away(pools: ProviderPools) -> None:
    assert pools.read("anthropic", "acme") is None
    for pool in (pool_of("sk-1"), pool_of("sk-2", "sk-3")):
        pools.write("anthropic", "acme", pool)
        assert pools.read("anthropic", "acme") == pool
    pools.write("anthropic", "acme", pool_of())
    assert pools.read("anthropic", "acme") is None
    pools.write("anthropic", "acme", pool_of())
    pools.write("anthropic", "acme", pool_of("sk-4"))
    assert pools.read("anthropic", "acme") == pool_of("sk-4")


def test_pools_are_listed(pools: ProviderPools) -> None:
    for place in (("openai", "shared"), ("anthropic", "shared"), ("anthropic", "acme")):
        pools.write(*place, pool_of("sk-1"))
    assert pools.names() == [("anthropic", "acme"), ("anthropic", "shared"), ("openai", "shared")]


@pytest.mark.parametrize("pools", ["aws"], indirect=True)
def test_other_secrets_of_the_account_are_none(pools: ProviderPools) -> None:
    for name in (f"{PREFIX}/a/b/c", f"{PREFIX.upper()}/a/b", "stepward/other/providers/a/b", "mine"):
        boto3.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    assert pools.names() == []


@pytest.mark.parametrize("pools", ["aws"], indirect=True)
def test_what_aws_says_of_a_key_is_told_without_it(
    pools: ProviderPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"Code": "ValidationException", "Message": f"Value '{PLANTED}' at 'secretString' is not allowed"}

    def refused(**_: Any) -> None:
        raise ClientError({"Error": dict(said)}, "CreateSecret")

    monkeypatch.setattr(clients.client("secretsmanager"), "create_secret", refused)
    with pytest.raises(Bug, match="Value '…' at 'secretString'") as told:
        pools.write("anthropic", "acme", pool_of(PLANTED))
    assert PLANTED not in "".join(traceback.format_exception(told.value))


class Counting:
    """Counts how often the keys are really read."""

    def __init__(self, source: ProviderKeys) -> None:
        self.source = source
        self.reads = 0

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        self.reads += 1
        return self.source.of(tenant, provider)

    def forget(self, tenant: str, provider: str) -> None:
        raise AssertionError((tenant, provider))


@pytest.fixture
def remembered() -> Any:
    class Remembering:
        def __init__(self) -> None:
            self.now_s = 0.0
            self.kept = MemoryProviderKeys(MemoryPools({"anthropic/shared": a_pool("sk-000-1")}))
            self.counting = Counting(self.kept)
            self.keys = CachedKeys(self.counting, lambda: self.now_s)

    return Remembering()


def test_a_process_reads_a_tenants_keys_once_and_a_call_never(remembered: Any) -> None:
    for _ in range(3):
        assert values(remembered.keys.of("acme", "anthropic")) == ["sk-000-1"]
    remembered.keys.of("other", "anthropic")
    assert remembered.counting.reads == 2


def test_a_new_key_is_used_after_five_minutes_at_most(remembered: Any) -> None:
    remembered.keys.of("acme", "anthropic")
    remembered.kept.pools.texts["anthropic/shared"] = a_pool("sk-000-2")
    remembered.now_s = KEYS_KEPT_S - 1
    assert values(remembered.keys.of("acme", "anthropic")) == ["sk-000-1"]
    remembered.now_s = KEYS_KEPT_S
    assert values(remembered.keys.of("acme", "anthropic")) == ["sk-000-2"]


def test_a_refused_key_is_read_again_at_once(remembered: Any) -> None:
    (before,) = remembered.keys.of("acme", "anthropic")
    remembered.kept.pools.texts["anthropic/shared"] = a_pool("sk-000-2")
    remembered.keys.forget("acme", "anthropic")
    (after,) = remembered.keys.of("acme", "anthropic")
    assert (before.id, after.value.get_secret_value()) == (after.id, "sk-000-2")
    assert before.fingerprint != after.fingerprint


def test_that_nobody_has_set_one_is_not_remembered(remembered: Any) -> None:
    remembered.kept.pools.texts.clear()
    assert remembered.keys.of("acme", "anthropic") == ()
    remembered.kept.pools.texts["anthropic/acme"] = a_pool("sk-000-own")
    assert values(remembered.keys.of("acme", "anthropic")) == ["sk-000-own"]
