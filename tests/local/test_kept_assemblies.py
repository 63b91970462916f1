"""An assembly is written once for the same sources, and anew for all that could make another of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.local import kept_assemblies, synthesis
from infra.local.faults import LaptopError
from infra.local.synthesis import Synthesis


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose app writes a link, as the true one does to the package, and counts how often it runs."""
    root = tmp_path / "checkout"
    (root / "infra").mkdir(parents=True)
    (root / "layouts" / "one" / "stepward").mkdir(parents=True)
    for name in ("cdk.json", "pyproject.toml", "requirements.lock"):
        (root / name).write_text(name)
    (root / "infra" / "app.py").write_text(
        "import pathlib, sys\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "if '--set=bad=1' in sys.argv: sys.exit('no such field')\n"
        "(out / 'asset.1').mkdir(parents=True)\n"
        "(out / 'manifest.json').write_text(' '.join(sys.argv[1:]))\n"
        "(out / 'asset.1' / 'stepward').symlink_to(pathlib.Path.cwd() / 'layouts' / 'one' / 'stepward')\n"
        "with open('ran', 'a') as file: file.write('x')\n"
    )
    monkeypatch.setattr(synthesis, "ROOT", root)
    return root


def written(checkout: Path, out: str, *settings: str, stage: str = "laptop") -> int:
    """Write an assembly and say how often the app has run so far."""
    folder = Synthesis(stage, checkout / out, settings).wait()
    assert folder == checkout / out
    assert (folder / "asset.1" / "stepward").is_dir()
    assert f"--stage {stage}" in (folder / "manifest.json").read_text()
    return len((checkout / "ran").read_text())


def test_the_same_sources_are_written_once(checkout: Path) -> None:
    assert [written(checkout, out) for out in ("a", "b", "c")] == [1, 1, 1]
    (checkout / "a" / "manifest.json").write_text("changed by its owner: --stage laptop")
    written(checkout, "d")
    assert "changed" not in (checkout / "d" / "manifest.json").read_text()


def test_all_that_could_make_another_is_looked_at(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(checkout, "a")
    assert written(checkout, "b", "x=1") == 2
    assert written(checkout, "c", stage="dev") == 3
    (checkout / "functions").mkdir()
    (checkout / "functions" / "function.toml").write_text("new")
    assert written(checkout, "d") == 4
    (checkout / "functions" / "function.toml").write_text("wen")
    assert written(checkout, "e") == 5
    monkeypatch.setenv("CDK_CONTEXT_JSON", "{}  ")
    assert written(checkout, "f") == 6


def test_one_whose_package_has_gone_is_written_anew(checkout: Path) -> None:
    written(checkout, "a")
    (checkout / "layouts" / "one").rename(checkout / "layouts" / "two")
    assert not kept_assemblies.take(next((checkout / ".build" / "assemblies").iterdir()), checkout / "b")
    (checkout / "layouts" / "one" / "stepward").mkdir(parents=True)
    assert written(checkout, "c") == 1


def test_what_fails_or_changes_on_the_way_is_not_kept(checkout: Path) -> None:
    with pytest.raises(LaptopError, match="no such field"):
        Synthesis("laptop", checkout / "a", ("bad=1",)).wait()
    begun = Synthesis("laptop", checkout / "b", ())
    (checkout / "infra" / "late.py").write_text("a change while it runs")
    begun.wait()
    assert not (checkout / ".build").exists()


def test_no_more_are_kept_than_layouts_of_the_package(checkout: Path) -> None:
    for number in range(7):
        written(checkout, f"out{number}", f"x={number}")
    assert len(list((checkout / ".build" / "assemblies").iterdir())) == 5
    assert written(checkout, "again", "x=6") == 7


def test_a_synthesis_that_is_ended_leaves_no_process(checkout: Path) -> None:
    (checkout / "infra" / "app.py").write_text("import time\ntime.sleep(600)\n")
    begun = Synthesis("laptop", checkout / "a", ())
    begun.end()
    assert isinstance(begun._process, subprocess.Popen)
    assert begun._process.returncode == -9
