"""What Lambda gets is small, and every client that a function may make can be made from it alone."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import botocore.session
import pytest

from infra.aws_data import CLIENTS, OF_CREDENTIALS, granted_services, services_of, trim
from infra.bundling import Checkout
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.constructs.permissions import Allow, Granted
from infra.function_configs import FunctionConfig, load_functions
from infra.lockfile import canonical
from infra.package_size import MOST_ZIP_MB, Size, measure, refuse_too_large
from infra.packing import Packer
from tests.infra.installed import copy_installed
from tests.infra.reach import modules_reached
from tests.infra.test_function_imports import base_python

PRODUCT = Checkout.at(Path(__file__).parents[2])
WORDS = grant_words(["agent-run"])
FUNCTIONS = {one.name: one for one in load_functions(PRODUCT.functions, WORDS, ["agent-run"])}
MB = 1024**2
PROBE = """
import importlib, json, sys
folder, clients, modules = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
sys.path[:0] = [folder]
for name in modules:
    importlib.import_module(name)
import boto3, botocore
assert botocore.__file__.startswith(folder), botocore.__file__
session = boto3.session.Session("x", "y", region_name="eu-central-1")
made = [session.client(name).meta.service_model.service_name for name in clients]
is_callable = callable(sys.modules[modules[0]].handle)
print(json.dumps({"handle": is_callable, "made": made, "available": session.get_available_services()}))
"""


def a_function(**words: object) -> FunctionConfig:
    described = {"name": "greeter", "purpose": "Greets whoever asks.", "memory_mb": 128, "timeout_s": 3}
    return FunctionConfig.model_validate(described | words)


def in_a_bare_interpreter(code: str, *arguments: str) -> str:
    """Run code that finds the standard library, and what it puts on the path itself."""
    command = [base_python(), "-I", "-S", "-c", code, *arguments]
    environment = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def install_here(requirements: Path, target: Path) -> None:
    """Stand in for the download: the same versions, for this platform; what is for others is not installed."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    installed = {canonical(dist.name) for dist in distributions()}
    copy_installed([pin for pin in pins if canonical(pin) in installed], target)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    packer = Packer(replace(PRODUCT, build=tmp_path_factory.mktemp("build")), install_here)
    return lambda name: packer.pack(FUNCTIONS[name])


def check_package(name: str, folder: Path) -> None:
    """Make each client, import each module, and weigh what a platform-free build would weigh."""
    function = FUNCTIONS[name]
    services = sorted(
        {*granted_services(function.grants, WORDS), *(function.aws_services or ()), *OF_CREDENTIALS}
    )
    modules = [f"functions.{name}.handler", *modules_reached(PRODUCT, name)]
    said = in_a_bare_interpreter(PROBE, str(folder), json.dumps(services), json.dumps(modules))
    assert json.loads(said) == {"handle": True, "made": services, "available": services}
    refuse_too_large(function, measure(name, folder))


def test_a_package_makes_its_clients_loads_its_modules_and_is_small(packed: Callable[[str], Path]) -> None:
    check_package("runs_api", packed("runs_api"))


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "runs_api"])
def test_every_package_does(name: str, packed: Callable[[str], Path]) -> None:
    check_package(name, packed(name))


def test_what_no_client_reads_is_taken_out(tmp_path: Path) -> None:
    kept = {
        "botocore/data/endpoints.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/sts/2011-06-15/service-2.json.gz",
        "botocore/docs/client.py",
        "boto3/data/dynamodb/2012-08-10/resources-1.json",
        "other/data/athena/file.json",
    }
    dropped = {
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "botocore/data/athena/2017-05-18/service-2.json.gz",
        "boto3/data/ec2/2016-11-15/resources-1.json",
    }
    for name in kept | dropped:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    trim(tmp_path, ["dynamodb"])
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == kept
    assert not (tmp_path / "botocore" / "data" / "athena").exists()


def test_only_functions_that_call_models_may_have_more() -> None:
    more = {name for name, function in FUNCTIONS.items() if function.max_zip_mb}
    assert more == {name for name, function in FUNCTIONS.items() if "models:invoke" in function.grants}


def test_every_grant_s_service_has_a_client() -> None:
    for word in WORDS:
        granted_services([word], WORDS)


@pytest.mark.parametrize(
    ("prefix", "client"), [(prefix, one) for prefix, all_ in CLIENTS.items() for one in all_]
)
def test_a_client_signs_with_the_name_that_iam_knows(prefix: str, client: str) -> None:
    model = botocore.session.get_session().get_service_model(client)
    assert prefix in {model.signing_name, model.endpoint_prefix}


def test_services_come_from_grants_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data" / "athena").mkdir(parents=True)
    function = a_function(
        grants=("blobs:read", "workflows:start", "schedules:define"), aws_services=("athena",)
    )
    assert services_of(function, WORDS, tmp_path) == {"s3", "stepfunctions", "scheduler", "athena"}


@pytest.mark.parametrize("word", ["tools:invoke", "lambda-tools:invoke"])
def test_a_stage_without_tools_packs_what_calls_them(word: str) -> None:
    assert granted_services([word], WORDS) == {"lambda"}


def test_a_folder_of_tools_keeps_all_services_unless_it_says(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data" / "athena").mkdir(parents=True)
    assert services_of(a_function(tools=True), WORDS, tmp_path) is None
    assert services_of(a_function(tools=True, aws_services=()), WORDS, tmp_path) == frozenset()
    assert services_of(a_function(tools=True, aws_services=("athena",)), WORDS, tmp_path) == {"athena"}


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (("athina",), r"greeter.function\.toml: unknown AWS service 'athina'; did you mean 'athena'"),
        (("step-functions",), r"unknown AWS service 'step-functions'; did you mean 'stepfunctions'"),
    ],
)
def test_a_service_that_aws_does_not_have(tmp_path: Path, services: Sequence[str], said: str) -> None:
    for name in ("athena", "stepfunctions"):
        (tmp_path / "botocore" / "data" / name).mkdir(parents=True)
    with pytest.raises(DefinitionError, match=said):
        services_of(a_function(aws_services=services), WORDS, tmp_path)


def test_a_service_without_boto3(tmp_path: Path) -> None:
    with pytest.raises(
        DefinitionError, match=r"aws_services: boto3 is not among the `packages`; add it there"
    ):
        services_of(a_function(aws_services=("athena",)), WORDS, tmp_path)


def test_a_grant_of_a_service_that_no_client_is_known_for() -> None:
    words = {"mail:send": lambda arns: Granted((Allow(("ses:SendEmail",), ("*",)),))}
    with pytest.raises(
        DefinitionError, match=r"no client is known for ses:…, which a grant allows; add it to"
    ):
        granted_services(["mail:send"], words)


def test_a_package_is_weighed_as_files_and_as_an_archive(tmp_path: Path) -> None:
    (tmp_path / "lib" / "__pycache__").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("a" * 10_000, encoding="utf-8")
    (tmp_path / "lib" / "b.txt").write_text("b" * 50_000, encoding="utf-8")
    (tmp_path / "lib" / "__pycache__" / "b.cpython-313.pyc").write_bytes(b"c" * 90_000)
    size = measure("greeter", tmp_path)
    assert size.unzipped_bytes == 150_000
    assert 0 < size.compiled_bytes < size.zipped_bytes < 2_000
    assert list(size.parts) == ["a.txt", "lib"]
    assert 0 < size.parts["a.txt"] < size.parts["lib"]


def a_size(zip_mb: float, unzipped_mb: float = 30, compiled_mb: float = 0) -> Size:
    parts = {"botocore": int(3.04 * MB), "pydantic_core": 2 * MB, **{f"p{n}": n * 1000 for n in range(9)}}
    return Size("greeter", int(unzipped_mb * MB), int(zip_mb * MB), int(compiled_mb * MB), parts)


def test_a_package_that_is_too_large_is_refused_with_its_parts_and_the_fix() -> None:
    with pytest.raises(DefinitionError) as refused:
        refuse_too_large(a_function(), a_size(MOST_ZIP_MB + 0.3))
    assert str(refused.value) == (
        "functions/greeter/function.toml: the package of 'greeter' has 10.3 MB zipped, and may have 10. "
        "Its largest parts, in MB zipped: botocore 3.0, pydantic_core 2.0, p8 0.0, p7 0.0, p6 0.0. "
        "Take what it does not need out of `packages` and `aws_services`, or allow more by `max_zip_mb = 11`"
    )


def test_the_limit_of_lambda_cannot_be_raised() -> None:
    with pytest.raises(DefinitionError) as refused:
        refuse_too_large(a_function(max_zip_mb=100, tools=True), a_size(90, unzipped_mb=251))
    assert "251.0 MB unzipped, and Lambda takes 250" in str(refused.value)
    assert "max_zip_mb" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ({}, a_size(MOST_ZIP_MB)),
        ({}, a_size(14, compiled_mb=4)),
        ({"max_zip_mb": 15}, a_size(14.9)),
        ({"tools": True}, a_size(60)),
    ],
    ids=["at_the_limit", "compiled", "declared", "tools"],
)
def test_a_package_within_its_limit_is_taken(words: dict[str, object], size: Size) -> None:
    refuse_too_large(a_function(**words), size)


def test_a_folder_of_tools_is_held_to_what_it_declares() -> None:
    with pytest.raises(DefinitionError, match=r"12\.0 MB zipped, and may have 11"):
        refuse_too_large(a_function(tools=True, max_zip_mb=11), a_size(12))
