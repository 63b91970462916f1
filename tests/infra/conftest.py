"""One synthesis of the product and two of a small checkout serve all tests, because each takes seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.assembly import Plan, feature_flags, synthesise
from infra.bundling import Checkout, source_bundler
from infra.config import load_config
from tests.infra.assembly_reading import ROOT, Assembly
from tests.infra.small_checkout import a_checkout


@pytest.fixture(scope="session")
def product() -> Checkout:
    return Checkout.at(ROOT)


@pytest.fixture(scope="session")
def prod(product: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The product as it would be deployed, with every rule of cdk-nag holding: a finding fails this fixture."""
    folder = tmp_path_factory.mktemp("prod")
    checkout = replace(product, build=folder / "build")
    plan = Plan(
        checkout=checkout,
        config=load_config("prod"),
        bundle=source_bundler(checkout),
        out=folder / "cdk.out",
        is_nagged=True,
        context=feature_flags(ROOT),
    )
    return Assembly(synthesise(plan), "prod")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return a_checkout(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def dev(small: Checkout) -> Assembly:
    plan = Plan(
        checkout=small,
        config=load_config("dev"),
        bundle=source_bundler(small),
        out=small.root / "cdk.out",
        is_nagged=True,
    )
    return Assembly(synthesise(plan), "dev")
