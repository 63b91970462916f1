"""What is deployed is a function of the sources and the lock: no more files, no other versions, no trace of a machine."""

from __future__ import annotations

import json
import marshal
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra import packing
from infra.assembly import Plan, synthesise
from infra.bundling import Checkout, function_files, package_files, source_bundler
from infra.config import load_config
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.lockfile import closure, read_lock, restricted
from infra.packing import ALWAYS_PACKED, PYTHON_VERSION, Packer, install, matching_python, package_bundler
from tests.infra.assembly_reading import Assembly
from tests.infra.installed import installed_closure
from tests.infra.small_checkout import a_checkout

GREETER = FunctionConfig(
    name="greeter", purpose="Greets whoever asks.", memory_mb=128, timeout_s=3, packages=("Example_Library",)
)


def files_in(folder: Path) -> set[str]:
    """List files as those who read an asset see them: links are followed."""
    found = [Path(at) / name for at, _, names in os.walk(folder, followlinks=True) for name in names]
    return {path.relative_to(folder).as_posix() for path in found}


def pretend_to_install(requirements: Path, target: Path) -> None:
    """Leave what a real installation leaves, with its traces of the machine, and note what was asked for."""
    (target / "example_library-1.2.dist-info").mkdir()
    (target / "example_library-1.2.dist-info" / "RECORD").write_text("machine", encoding="utf-8")
    (target / "example_library-1.2.dist-info" / "METADATA").write_text("Version: 1.2", encoding="utf-8")
    (target / "example_library-1.2.dist-info" / "entry_points.txt").write_text("[a.group]", encoding="utf-8")
    (target / "bin").mkdir()
    (target / "bin" / "example").write_text("#!/this/machine/python", encoding="utf-8")
    (target / "asked_for.txt").write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")


def test_a_source_asset_holds_the_room_and_the_package(small: Checkout) -> None:
    assert files_in(source_bundler(small)(GREETER)) == {
        "functions/greeter/handler.py",
        "stepward/__init__.py",
        "stepward/domain/ids.py",
    }


def test_caches_and_descriptions_are_not_shipped(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path)
    cache = checkout.package / "__pycache__"
    cache.mkdir()
    (cache / "ids.cpython-311.pyc").write_bytes(b"x")
    shipped = {path.as_posix() for path in function_files(checkout, "greeter") | package_files(checkout)}
    assert not any("pycache" in path or path.endswith((".pyc", ".toml")) for path in shipped)


def test_a_file_that_was_deleted_leaves_the_asset(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path)
    began_with = (source_bundler(checkout)(GREETER) / "stepward").resolve()
    (checkout.package / "domain" / "ids.py").unlink()
    assert files_in(source_bundler(checkout)(GREETER)) == {
        "functions/greeter/handler.py",
        "stepward/__init__.py",
    }
    assert files_in(began_with) == {"__init__.py", "domain/ids.py"}, "who began with it goes on with it"


def test_few_layouts_of_the_package_stay(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path)
    for number in range(8):
        (checkout.package / "new.py").write_text(f"NUMBER = {number}\n", encoding="utf-8")
        staged = source_bundler(checkout)(GREETER)
    assert len(list((checkout.build / "source" / "packages").iterdir())) == 5
    assert (staged / "stepward" / "new.py").read_text(encoding="utf-8") == "NUMBER = 7\n"


def test_a_package_asset_asks_for_the_closure_of_the_room_only(tmp_path: Path) -> None:
    folder = Packer(a_checkout(tmp_path), pretend_to_install).pack(GREETER)
    asked = (folder / "asked_for.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([a-z-]+)==", asked, re.MULTILINE)
    assert names == ["example-library", "needed-by-it", "pydantic", "pydantic-core"]
    assert "--hash=sha256:bb" in asked
    assert "sys_platform == 'linux'" in asked
    assert "sha256:ee" not in asked


def test_a_package_asset_holds_no_trace_of_the_machine(tmp_path: Path) -> None:
    folder = Packer(a_checkout(tmp_path), pretend_to_install).pack(GREETER)
    compiled = {path for path in files_in(folder) if path.endswith(".pyc")}
    assert files_in(folder) - compiled == {
        "asked_for.txt",
        "example_library-1.2.dist-info/METADATA",
        "example_library-1.2.dist-info/entry_points.txt",
        "functions/greeter/handler.py",
        "stepward/__init__.py",
        "stepward/domain/ids.py",
    }


def test_both_ways_of_bundling_make_the_same_templates(
    small: Checkout, dev: Assembly, tmp_path: Path
) -> None:
    checkout = replace(small, build=tmp_path / "build")
    plan = Plan(
        checkout, load_config("dev"), package_bundler(checkout, pretend_to_install), out=tmp_path / "out"
    )
    packed = Assembly(synthesise(plan), "dev")
    assert packed.parts == dev.parts
    for part in dev.parts:
        assert without_hashes(packed, part) == without_hashes(dev, part)
    assert packed.template("functions") != dev.template("functions")


def without_hashes(assembly: Assembly, part: str) -> str:
    return re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(assembly.template(part), sort_keys=True))


def test_a_package_that_is_not_in_the_lock(small: Checkout) -> None:
    with pytest.raises(
        DefinitionError, match=r"function\.toml: unknown package 'exampl-library'; did you mean"
    ):
        restricted(small.lock, ["exampl_library"], Path("functions/greeter/function.toml"))


@pytest.mark.parametrize(
    "room",
    load_functions(
        Checkout.at(Path(__file__).parents[2]).functions,
        grant_words(["agent-run"]),
        ["agent-run"],
    ),
)
def test_the_lock_s_graph_misses_nothing_that_a_room_needs(product: Checkout, room: FunctionConfig) -> None:
    asked = [*ALWAYS_PACKED, *room.packages]
    packed = {pin.name for pin in closure(read_lock(product.lock), asked, product.functions / room.name)}
    assert set(installed_closure(asked)) <= packed


def test_a_package_is_compiled_for_where_it_will_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "matching_python", lambda: sys.executable)
    folder = Packer(a_checkout(tmp_path), pretend_to_install).pack(GREETER)
    (compiled,) = (folder / "functions" / "greeter" / "__pycache__").glob("handler.*.pyc")
    content = compiled.read_bytes()
    is_hashed_and_unchecked = int.from_bytes(content[4:8], "little") == 0b01
    assert is_hashed_and_unchecked
    assert marshal.loads(content[16:]).co_filename == "/var/task/functions/greeter/handler.py"


@pytest.mark.parametrize(
    ("script", "is_found"),
    [("echo Python 3.13.5", True), ("echo Python 3.11.2", False), ("exit 127", False)],
    ids=["right", "another", "shim"],
)
@pytest.mark.skipif(os.name == "nt", reason="the shims in question are shell scripts")
def test_only_an_interpreter_that_runs_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, is_found: bool
) -> None:
    shim = tmp_path / f"python{PYTHON_VERSION}"
    shim.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (matching_python() is not None) is is_found


def test_an_installation_that_fails_says_why(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pydantic==2.0\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"(?s)requirements\.txt: .*hash"):
        install(requirements, tmp_path / "target")
