"""An edit is live without a new start, and a broken one leaves the old code serving."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from infra.local.executor import FunctionSpec
from infra.local.laptop import Laptop
from infra.local.reload.edits import check_imports, sort_out
from infra.local.reload.staging import SourceError, Staging, check
from infra.local.reload.watch import Watch
from tests.local.patience import wait_for

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("functions", "shared", "statemachines", "infra", "cdk.json", "pyproject.toml", "requirements.lock")


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_every_kind_of_edit_is_noticed_once(tmp_path: Path) -> None:
    old = write(tmp_path / "functions" / "a" / "handler.py", "1")
    gone = write(tmp_path / "shared" / "stepward" / "gone.py", "1")
    watch = Watch(tmp_path)
    assert watch.changes() == set()
    old.write_text("22")
    gone.unlink()
    write(tmp_path / "statemachines" / "new.asl.json", "{}")
    write(tmp_path / "functions" / "a" / "__pycache__" / "handler.pyc", "")
    write(tmp_path / "functions" / "a" / ".handler.py.swp", "")
    write(tmp_path / "README.md", "")
    expected = {"functions/a/handler.py", "shared/stepward/gone.py", "statemachines/new.asl.json"}
    assert {str(path) for path in watch.changes()} == expected
    assert watch.changes() == set()


def test_edits_ask_for_what_their_place_asks_for() -> None:
    names = [
        "functions/a/steps/one.py",
        "functions/b/function.toml",
        "infra/local/up.py",
        "infra/function_configs.py",
    ]
    edits = sort_out(map(Path, names))
    assert edits.functions == {"a"}
    assert not edits.is_package
    assert [str(path) for path in edits.template] == [
        "functions/b/function.toml",
        "infra/function_configs.py",
    ]
    assert [str(path) for path in edits.laptop] == ["infra/local/up.py"]
    assert sort_out([Path("shared/stepward/domain/ids.py")]).is_package
    assert sort_out([Path("functions/__init__.py")]).is_package


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ndef f(:\n", r"functions/a/handler\.py:2: SyntaxError"),
        ("x = '\0'", r"functions/a/handler\.py:1: "),
    ],
)
def test_what_python_cannot_read_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path / "functions" / "a" / "handler.py", text)
    with pytest.raises(SourceError, match=told):
        check(tmp_path, [Path("functions/a/handler.py"), Path("functions/a/gone.py")])


def test_a_layout_holds_the_room_and_the_package_and_no_other_room(tmp_path: Path) -> None:
    for room in ("a", "b"):
        write(tmp_path / "functions" / room / "handler.py", room)
    package = write(tmp_path / "shared" / "stepward" / "one.py", "1")
    staging = Staging(tmp_path, tmp_path / "code")
    first = staging.stage(["a"])["a"]
    package.write_text("2")
    staging.keep()
    second = staging.stage(["a", "b"])["a"]
    assert (first / "stepward" / "one.py").read_text() == "1"
    assert (second / "stepward" / "one.py").read_text() == "2"
    assert (second / "functions" / "a" / "handler.py").is_file()
    assert not (second / "functions" / "b").exists()


def test_a_layout_that_is_taken_back_pushes_none_out(tmp_path: Path) -> None:
    write(tmp_path / "functions" / "a" / "handler.py", "1")
    write(tmp_path / "shared" / "stepward" / "one.py", "1")
    staging = Staging(tmp_path, tmp_path / "code")
    serving = staging.stage(["a"])["a"]
    staging.keep()
    for _ in range(5):
        broken = staging.stage(["a"])["a"]
        staging.discard()
        assert not broken.exists()
    assert (serving / "stepward" / "one.py").is_file()


@pytest.mark.parametrize(
    ("place", "text", "told"),
    [
        ("functions/a/handler.py", "\nimport none_such\n", r"functions/a/handler.py:2: ModuleNotFoundError: .*none_such.* \(in a\)"),
        ("functions/a/handler.py", "from stepward.one import two", r"functions/a/handler.py:1: ImportError: .*\(in a\)"),
        ("functions/a/handler.py", "x = 1", r"functions/a/handler.py:1: no `handle` \(in a\)"),
        ("functions/a/handler.py", "raise SystemExit(3)", r"functions/a/handler.py:1: SystemExit: 3"),
        ("functions/a/handler.py", "import os; os._exit(1)", "importing a, b ended with Runtime.ExitError"),
        ("shared/stepward/one.py", "\n\n1 / 0", r"shared/stepward/one.py:3: ZeroDivisionError: .*\(in a, b\)"),
        ("shared/stepward/one.py", "def f(:", r"shared/stepward/one.py:1: SyntaxError: .*\(in a, b\)"),
        ("functions/a/handler.py", "import functions.b.handler\ndef handle(): pass", "No module named 'functions.b'"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_told_with_its_line(
    tmp_path: Path, place: str, text: str, told: str, laptop: Laptop
) -> None:
    for room in ("b", "a"):
        write(tmp_path / "functions" / room / "handler.py", "import stepward.one\ndef handle(): pass")
    write(tmp_path / "functions" / "__init__.py", "")
    write(tmp_path / "shared" / "stepward" / "__init__.py", "")
    write(tmp_path / "shared" / "stepward" / "one.py", "")
    specs = {room: FunctionSpec(room, f"functions.{room}.handler.handle", tmp_path) for room in ("a", "b")}
    staging = Staging(tmp_path, tmp_path / "code")
    check_imports(laptop.executor, staging.stage(["a", "b"]), specs)
    write(tmp_path / place, text)
    with pytest.raises(SourceError, match=told):
        check_imports(laptop.executor, staging.stage(["a", "b"]), specs)


class Running:
    """`up` on a copy of this checkout, so that its sources can be edited."""

    def __init__(self, root: Path, state: Path, lines: Path) -> None:
        self.root, self._lines = root, lines
        told = json.loads((state / "laptop.json").read_text())
        self.http = httpx2.Client(base_url=told["url"], trust_env=False, timeout=20)

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        file = self.root / name
        file.write_text(change(file.read_text()))

    def wait_told(self, *words: str) -> str:
        def told() -> str | None:
            lines = self._lines.read_text().splitlines()
            return next((line for line in lines if all(word in line for word in words)), None)

        try:
            return wait_for(told, 300)
        except AssertionError:
            raise AssertionError(self._lines.read_text()) from None

    def up_again(self) -> subprocess.CompletedProcess[str]:
        told = json.loads((self.root / "state" / "laptop.json").read_text())
        options = ["--port", told["url"].rsplit(":", 1)[-1], "--state-dir", str(self.root / "state")]
        return subprocess.run(
            [sys.executable, "-m", "infra.local", "up", *options],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def stage(self) -> object:
        return self.http.get("/api/health").json()["stage"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("checkout")
    # Compiled modules come along: every start would compile all of them anew.
    ignore = shutil.ignore_patterns("node_modules", ".*")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name, **({"ignore": ignore} if copy is shutil.copytree else {}))  # type: ignore[operator]
    state = root / "state"
    lines = root / "lines"
    command = [sys.executable, "-m", "infra.local", "up", "--port", "0", "--state-dir", str(state)]
    with lines.open("w") as output:
        up = subprocess.Popen(
            command, cwd=root, stdout=output, stderr=output, env=os.environ | {"PYTHONPATH": str(root)}
        )
    try:
        ready = wait_for(lambda: (state / "laptop.json").is_file() or up.poll() is not None or None, 300)
        assert ready, lines.read_text()
        assert up.poll() is None, lines.read_text()
        wait_for(lambda: True if "Ctrl-C ends it" in lines.read_text() else None, 300)
        run = Running(root, state, lines)
        with run.http:
            yield run
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(120)
    assert "Traceback" not in lines.read_text()


HEALTH = "functions/health/handler.py"


@pytest.mark.laptop
def test_a_room_is_live_after_an_edit(running: Running) -> None:
    marked = "\nimport os; os.environ['STAGE'] = 'edited-room'\n"
    running.edit(
        HEALTH,
        lambda text: text.replace(
            "from __future__ import annotations\n", "from __future__ import annotations\n" + marked
        ),
    )
    assert "health" in running.wait_told("reloaded", HEALTH)
    assert running.stage() == "edited-room"


@pytest.mark.laptop
def test_broken_code_is_told_and_the_old_serves_until_it_is_mended(running: Running) -> None:
    before = running.stage()
    good = (running.root / HEALTH).read_text()
    running.edit(HEALTH, lambda text: text + "\ndef broken(:\n")
    line = len(good.splitlines()) + 2
    running.wait_told("not reloaded", f"{HEALTH}:{line}: SyntaxError")
    assert running.stage() == before
    running.edit(HEALTH, lambda _: good.replace("edited-room", "mended"))
    wait_for(lambda: True if running.stage() == "mended" else None)


@pytest.mark.laptop
def test_what_cannot_be_imported_is_told_before_anybody_calls_it(running: Running) -> None:
    before, good = running.stage(), (running.root / HEALTH).read_text()
    running.edit(HEALTH, lambda text: text + "\nfrom stepward.domain.ids import none_such\n")
    running.wait_told("not reloaded", f"{HEALTH}:{len(good.splitlines()) + 2}: ImportError", "(in health)")
    assert running.stage() == before
    running.edit(HEALTH, lambda _: good.replace("'mended'", "'mended-again'"))
    wait_for(lambda: True if running.stage() == "mended-again" else None)


@pytest.mark.laptop
def test_the_package_is_live_in_every_room(running: Running) -> None:
    running.edit("shared/stepward/__init__.py", lambda text: text + "\n# edited\n")
    line = running.wait_told("reloaded", "shared/stepward/__init__.py")
    for room in ("health", "agent_advance", "runs_api", "tool_invoke"):
        assert room in line


@pytest.mark.laptop
def test_a_rooms_file_changes_what_is_deployed_and_nothing_else(running: Running) -> None:
    running.edit("functions/health/function.toml", lambda text: text.replace("memory_mb = ", "memory_mb = 1"))
    line = running.wait_told("deployed", "functions/health/function.toml")
    assert "updated" in line
    assert "AWS::DynamoDB" not in line
    assert running.http.get("/api/health").status_code == 200


@pytest.mark.laptop
def test_a_wrong_rooms_file_is_told_and_everything_runs_on(running: Running) -> None:
    running.edit("functions/health/function.toml", lambda text: text + "\ntimeout_ss = 1\n")
    running.wait_told("not reloaded", "the CDK app failed")
    assert running.http.get("/api/health").status_code == 200


@pytest.mark.laptop
def test_up_again_applies_the_difference(running: Running) -> None:
    file = running.root / "functions/health/function.toml"
    file.write_text((ROOT / "functions/health/function.toml").read_text())
    first, second = running.up_again(), running.up_again()
    assert (first.returncode, second.returncode) == (0, 0), first.stdout + first.stderr
    assert "Nothing has changed." in second.stdout
    assert running.http.get("/api/health").status_code == 200
