"""An asset holds every module that its function can load, and no other of the package."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import grimp
import pytest

from infra.bundling import Checkout
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.reachable import PackageFiles
from stepward.models import gateway
from stepward.tasks import catalog as tasks
from stepward.tools import catalog as tools
from tests.infra.reach import modules_reached
from tests.infra.small_checkout import a_checkout

PRODUCT = Checkout.at(Path(__file__).parents[2])
FUNCTIONS = load_functions(PRODUCT.functions, grant_words(["agent-run"]), ["agent-run"])
PACKAGE = PackageFiles(PRODUCT)
NAMED_BY_TEXTS = {
    "stepward.tasks.catalog": [*tasks.CATALOG.values()],
    "stepward.tools.catalog": [*tools.CATALOG.values(), tools.OWN_FUNCTION],
    "stepward.models.gateway": [*gateway.CLIENTS.values()],
}


def reached(tmp_path: Path, handler: str, modules: tuple[str, ...] = (), **files: str) -> set[str]:
    """List what a handler reaches of a package that has these files, beside the packages that they lie in."""
    checkout = a_checkout(tmp_path)
    for name, content in files.items():
        file = checkout.package / name.replace("__", "/").replace("_json", ".json")
        file = file if file.suffix else file.with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    for folder in checkout.package.rglob("*"):
        if folder.is_dir() and any(folder.glob("*.py")):
            (folder / "__init__.py").touch()
    (checkout.functions / "greeter" / "handler.py").write_text(handler, encoding="utf-8")
    greeter = FunctionConfig(
        name="greeter", purpose="Greets whoever asks.", memory_mb=128, timeout_s=3, modules=modules
    )
    found = PackageFiles(checkout).reached_by(greeter)
    return {path.relative_to("stepward").as_posix() for path in found if path.name != "__init__.py"}


@pytest.mark.parametrize(
    "handler",
    [
        "import stepward.tools.a",
        "from stepward.tools import a",
        "from stepward.tools.a import A",
        "def handle():\n    from stepward.tools import a",
        "class Handler:\n    @property\n    def a(self):\n        import stepward.tools.a as a",
        "if TYPE_CHECKING:\n    from stepward.tools import b\nelse:\n    from stepward.tools import a",
        "if not TYPE_CHECKING:\n    from stepward.tools import a",
        "try:\n    from stepward.tools import a\nexcept ImportError:\n    a = None",
        "CATALOG = {'a': 'stepward.tools.a:A'}",
        "import_module('stepward.tools.a')",
        "import_module('.a', 'stepward.tools')\nimport stepward.tools",
    ],
    ids=[
        "import",
        "from",
        "member",
        "in_a_function",
        "in_a_class",
        "else",
        "not",
        "try",
        "text",
        "loaded",
        "relative",
    ],
)
def test_what_is_imported_is_reached(tmp_path: Path, handler: str) -> None:
    if "'.a'" in handler:
        handler = "import stepward.tools.load"
    files = {"tools__a": "A = 1", "tools__b": "B = 1", "tools__load": "import_module('.a', __package__)"}
    assert reached(tmp_path, handler, **files) - {"tools/load.py"} == {"tools/a.py"}


@pytest.mark.parametrize(
    "handler",
    [
        "from stepward.tools import *",
        "import_module(f'stepward.tools.{name}')",
        "import_module('stepward.tools.' + name)",
        "import_module('stepward.tools.%s' % name)",
    ],
    ids=["star", "f_string", "sum", "percent"],
)
def test_where_a_name_is_computed_all_that_it_may_mean_are_reached(tmp_path: Path, handler: str) -> None:
    files = {"tools__a": "A = 1", "tools__b": "B = 1", "tools__more__c": "C = 1", "tasks__d": "D = 1"}
    assert reached(tmp_path, handler, **files) == {"tools/a.py", "tools/b.py"}


def test_imports_are_followed_from_where_they_stand(tmp_path: Path) -> None:
    files = {
        "tools__a": "from . import b\nfrom ..tasks.d import D",
        "tools__b": "",
        "tasks__d": "D = 1",
        "tasks__e": "",
    }
    assert reached(tmp_path, "import stepward.tools.a", **files) == {"tools/a.py", "tools/b.py", "tasks/d.py"}


def test_what_only_a_type_checker_reads_is_not_reached(tmp_path: Path) -> None:
    handler = "if typing.TYPE_CHECKING:\n    from stepward.tools import a\n"
    assert reached(tmp_path, handler, tools__a="A = 1") == set()


def test_every_file_of_the_function_s_folder_counts(tmp_path: Path) -> None:
    step = a_checkout(tmp_path / "made").functions / "greeter" / "step.py"
    step.write_text("from stepward.tools import a", encoding="utf-8")
    package = tmp_path / "made" / "shared" / "stepward" / "tools"
    package.mkdir()
    (package / "a.py").touch()
    greeter = FunctionConfig(name="greeter", purpose="Greets whoever asks.", memory_mb=128, timeout_s=3)
    found = PackageFiles(Checkout.at(tmp_path / "made")).reached_by(greeter)
    assert PurePosixPath("stepward/tools/a.py") in found


def test_data_goes_with_the_module_that_names_it(tmp_path: Path) -> None:
    files = {
        "models__cards": "DATA = Path(__file__).with_name('data')",
        "models__data__list_json": "{}",
        "models__other__list_json": "{}",
        "tools__a": "",
        "tools__data__list_json": "{}",
        "templates__one__agent_json": "{}",
    }
    handler = "import stepward.models.cards, stepward.tools.a"
    found = reached(tmp_path, handler, **files)
    assert found == {"models/cards.py", "models/data/list.json", "tools/a.py"}


def test_data_is_reached_by_the_name_of_its_folder_too(tmp_path: Path) -> None:
    files = {"templates__one__agent_json": "{}", "library__two_json": "{}"}
    assert reached(tmp_path, "files('stepward.templates')", **files) == {"templates/one/agent.json"}


def test_a_module_that_no_analysis_finds_is_named(tmp_path: Path) -> None:
    files = {"tools__a": "from stepward.tools import b", "tools__b": ""}
    found = reached(tmp_path, "", modules=("stepward.tools.a",), **files)
    assert found == {"tools/a.py", "tools/b.py"}


def test_a_module_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = r"greeter/function\.toml: unknown module 'stepward.tool.a'; did you mean 'stepward.tools.a'"
    with pytest.raises(DefinitionError, match=said):
        reached(tmp_path, "", modules=("stepward.tool.a",), tools__a="")


def closure(graph: grimp.ImportGraph, function: str) -> set[str]:
    """Follow imports as another tool sees them, and what the catalogs name."""
    found: set[str] = set()
    waiting = [name for name in graph.modules if f"{name}.".startswith(f"functions.{function}.")]
    while waiting:
        name = waiting.pop()
        if name in found or name not in graph.modules:
            continue
        found.add(name)
        waiting += [*graph.find_modules_directly_imported_by(name), name.rpartition(".")[0]]
        waiting += [text.partition(":")[0] for text in NAMED_BY_TEXTS.get(name, ())]
    return {name for name in found if name.partition(".")[0] == "stepward"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("stepward", "functions", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_an_asset_holds_what_can_be_reached_and_nothing_else(
    function: FunctionConfig, graph: grimp.ImportGraph
) -> None:
    files = [path for path in PACKAGE.reached_by(function) if path.suffix == ".py"]
    held = {
        ".".join((path.parent if path.name == "__init__.py" else path.with_suffix("")).parts)
        for path in files
    }
    assert held == closure(graph, function.name)
    own = {name for name in modules_reached(PRODUCT, function.name) if name.startswith("stepward.")}
    assert own <= held


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_no_function_carries_what_only_people_use(function: FunctionConfig) -> None:
    kinds = {path.parts[1] for path in PACKAGE.reached_by(function)}
    assert kinds.isdisjoint({"cli", "sdk", "testing", "toolkit", "templates", "library"})
