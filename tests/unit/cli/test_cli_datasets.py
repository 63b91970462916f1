"""What a workflow's tasks look up is what stands beside its file, also after an edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
KEPT = ok({"id": "demo", "version": "1.0.0", "status": "READY", "states": 2}, 201)
GONE = problem(404, "NotFound", "there is no such file.")
WRITTEN = ok({"key": "datasets/orders.csv", "size_bytes": 9, "version": "v2"})


@pytest.fixture
def file(bare_folder: Path) -> str:
    (bare_folder / "demo" / "datasets").mkdir(parents=True)
    (bare_folder / "demo" / "workflow.yaml").write_text("id: demo\n", encoding="utf-8")
    (bare_folder / "demo" / "datasets" / "orders.csv").write_bytes(b"id,n\n1,99\n")
    (bare_folder / "demo" / "datasets" / ".hidden").write_bytes(b"x")
    return "demo/workflow.yaml"


@pytest.mark.parametrize("before", [GONE, httpx2.Response(200, content=b"id,n\n1,240\n")])
def test_an_edited_or_new_data_set_is_put_in_place(
    run: Run, stage: Stage, file: str, before: httpx2.Response
) -> None:
    api = stage(KEPT, before, WRITTEN)
    seen = run("workflow", "register", file)
    assert api.targets[1:] == ["GET /data/datasets/orders.csv", "PUT /data/datasets/orders.csv"]
    assert api.requests[-1].content == b"id,n\n1,99\n"
    assert "Put into the tenant's data: datasets/orders.csv" in seen.out


def test_a_data_set_that_is_there_as_it_stands_is_left(run: Run, stage: Stage, file: str) -> None:
    api = stage(KEPT, httpx2.Response(200, content=b"id,n\n1,99\n"))
    assert run("workflow", "register", file).code == 0
    assert api.targets[1:] == ["GET /data/datasets/orders.csv"]


def test_a_workflow_that_is_refused_changes_no_data(run: Run, stage: Stage, file: str) -> None:
    api = stage(problem(400, "InvalidRequest", "no", errors=[{"code": "x", "detail": "no", "fix": "mend"}]))
    assert run("workflow", "register", file).code == 3
    assert len(api.targets) == 1


def test_a_data_set_that_the_api_does_not_take_is_told(run: Run, stage: Stage, file: str) -> None:
    (Path.cwd() / "demo" / "datasets" / "orders.csv").write_bytes(b"x" * 4_000_001)
    api = stage(KEPT)
    seen = run("workflow", "register", file)
    assert (seen.code, len(api.targets)) == (0, 1)
    assert "orders.csv has more than 4,000,000 bytes" in seen.err
