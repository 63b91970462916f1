"""One container a process: its parts are made once, when they are used, and tests put memory behind the ports."""

from __future__ import annotations

import ast
import json
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import functions.agents_api.handler
import functions.approvals_api.handler
import functions.dispatch.handler
import functions.runs_api.control_runs
import functions.runs_api.handler
import functions.runs_api.read_runs
import functions.runs_api.start_runs
import functions.workflows_api.handler
import functions.workflows_api.registered_workflows
from stepward.domain.errors import Bug
from stepward.runtime import container as composition
from stepward.runtime.config import Settings
from stepward.runtime.container import Container
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.support.memory_container import LambdaContext, memory_container, request
from tests.support.workflow_world import WorkflowWorld

BUILDERS = Path(composition.__file__).parent / "builders"
SECTIONS = [
    name for name, part in vars(Container).items() if isinstance(part, cached_property) and name != "settings"
]
TEXTS = [name for name, field in Settings.model_fields.items() if "str" in str(field.annotation)]
EVERYTHING = Settings.model_validate(
    {
        **{name: f"a-{name}:1" for name in TEXTS if not Settings.model_fields[name].is_required()},
        "providers": (),
        "http_allow": (),
        "event_sources": {},
        "tool_functions": {},
    }
)


def test_nothing_is_read_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Container()
    monkeypatch.setenv("STAGE", "late")
    assert made.settings.stage == "late"
    monkeypatch.setenv("STAGE", "later")
    assert made.settings.stage == "late"


def test_what_is_not_configured_names_itself_when_it_is_used() -> None:
    with pytest.raises(Bug, match="RUNTIME_TABLE is not set"):
        _ = Container(Settings()).ports.run_queue


@pytest.mark.parametrize("section", SECTIONS)
def test_every_part_can_be_made_and_is_made_once(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    part = getattr(Container(EVERYTHING), section)
    names = [
        name
        for kind in type(part).__mro__
        for name, of in vars(kind).items()
        if isinstance(of, cached_property)
    ]
    assert names
    for name in names:
        assert getattr(part, name) is getattr(part, name)


@pytest.mark.parametrize("file", sorted(BUILDERS.glob("*.py")), ids=lambda file: file.stem)
def test_builders_know_the_container_by_its_type_alone(file: Path) -> None:
    tree = ast.parse(file.read_text())
    typed = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    for_types = {id(node) for block in typed for node in ast.walk(block)}
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and id(node) not in for_types
    ]
    assert "stepward.runtime.container" not in [node.module for node in imports]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def flows() -> WorkflowWorld:
    return WorkflowWorld()


@pytest.fixture
def send(world: World, flows: WorkflowWorld, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = memory_container(world, flows)
    for module in (
        functions.agents_api.handler,
        functions.approvals_api.handler,
        functions.dispatch.handler,
        functions.runs_api.control_runs,
        functions.runs_api.read_runs,
        functions.runs_api.start_runs,
        functions.workflows_api.registered_workflows,
    ):
        monkeypatch.setattr(module, "container", made)

    def send(function: ModuleType, method: str, path: str, *said: Any) -> tuple[int, Any]:
        answered = function.handle(request(method, path, *said), LambdaContext())
        return answered["statusCode"], json.loads(answered["body"])

    return send


def test_functions_serve_a_run_from_memory(send: Any, world: World) -> None:
    api = functions.runs_api.handler
    world.register(an_agent_body())
    code, started = send(api, "POST", "/agents/helper/runs", {"input": "hello"})
    assert (code, started["status"], started["input"]) == (202, "PENDING", "hello")
    where = f"/runs/{started['id']}"
    assert [run["id"] for run in send(api, "GET", "/runs")[1]["runs"]] == [started["id"]]
    assert send(api, "POST", f"{where}/pause")[1]["paused"] is True
    assert send(api, "POST", f"{where}/cancel")[1]["status"] == "CANCELLED"
    assert send(api, "GET", where)[1]["status"] == "CANCELLED"
    code, refused = send(api, "GET", f"/runs/run_{0:026}/events")
    assert (code, refused["code"]) == (404, "NotFound")


def test_functions_serve_a_workflow_from_memory(send: Any, flows: WorkflowWorld) -> None:
    api = functions.workflows_api.handler
    flows.register(
        [{"id": "double", "type": "transform", "output": "{% $input * 2 %}"}], output="{% $tasks.double %}"
    )
    code, started = send(api, "POST", "/workflows/flow/runs", {"input": 21})
    assert (code, started["kind"]) == (202, "workflow")
    flows.finish(next(iter(flows.runs.heads)))
    code, run = send(functions.runs_api.handler, "GET", f"/runs/{started['id']}")
    assert (code, run["status"], run["output"]) == (200, "COMPLETED", 42)
    assert [one["id"] for one in send(api, "GET", "/workflows/flow/runs")[1]["runs"]] == [started["id"]]
    code, shown = send(api, "GET", "/workflows/flow")
    assert (code, shown["version"], shown["status"]) == (200, "1.0.0", "READY")


def test_wake_ups_of_one_tenant_are_added_up(send: Any, world: World) -> None:
    records = [{"body": json.dumps({"tenant": "acme", "freed": freed})} for freed in (1, 2, None)]
    assert functions.dispatch.handler._freed_slots(records[:2]) == {"acme": 3}
    assert functions.dispatch.handler._freed_slots(records) == {"acme": None}
    answered = functions.dispatch.handler.handle({"Records": records}, LambdaContext())
    assert answered == {"batchItemFailures": [], "admitted": 0}


def test_handlers_of_folders_that_were_made_before_still_answer() -> None:
    handler = (
        "from stepward.runtime.entry import room, task\n\n"
        "@room('served')\n"
        "def handle(event, context):\n"
        "    return {'statusCode': 200}\n"
    )
    loaded: dict[str, Any] = {}
    exec(handler, loaded)
    assert loaded["handle"]({}, LambdaContext()) == {"statusCode": 200}
