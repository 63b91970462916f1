"""`stepward workflows run` on a template: rows are told as they end, and a broken row is no failure of the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepward.cli import workflow_view
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.documents import read
from stepward.workflows.services.views import ShowWorkflows
from tests.support.workflow_world import ACME, WorkflowWorld
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok
from tests.unit.sdk.workflow_answers import a_version

Stage = Callable[..., FakeApi]
ROWS = "sku,count,price\na,2,1.5\nb,many,2\nc,1,0.25\n"


def looks_at(document: dict[str, Any], given: Any, ended: tuple[int, ...]) -> list[dict[str, Any]]:
    """Run a document to its end, and show the run whenever so many tasks have ended, and at the end."""
    world = WorkflowWorld(duration_s=lambda path, at: float(at[-2:-1] or 0))
    world.keep(WorkflowDefinition.model_validate(document))
    key = world.start(given, workflow=document["id"])
    show = ShowWorkflows(world.registry, world.ports)
    looks = []
    for count in ended:
        world.loop.run(until=lambda most=count: len(world.store.full_snapshot(key).records) >= most)  # type: ignore[misc]
        looks.append(show.run(ACME.tenant, key.run))
    world.finish(key)
    return [*looks, show.run(ACME.tenant, key.run)]


def test_the_template_for_rows_tells_each_row_and_ends_with_0(
    run: Run, stage: Stage, bare_folder: Path
) -> None:
    assert run("init", "--template", "csv-rows").code == 0
    (file,) = bare_folder.rglob("workflow.yaml")
    document = read(file.read_text(encoding="utf-8")).tree
    looks = looks_at(document, {"csv": ROWS}, (1, 3))
    version = a_version(id="csv-rows", version=document["version"])
    api = stage(ok(version), ok(looks[0], 202), *map(ok, looks))
    seen = run("workflow", "run", str(file), "--input", json.dumps({"csv": ROWS}))
    assert (seen.code, seen.err) == (0, ""), seen.out
    assert api.targets[:2] == ["POST /workflows?wait=25", "POST /workflows/csv-rows/runs"]
    told = [line.split() for line in seen.out.splitlines() if line.startswith("  ←")]
    rows = [f"rows.row@rows[{n}]" for n in range(3)]
    assert [(line[1], line[2]) for line in told] == [
        (name, "COMPLETED") for name in ("lines", *rows, "rows", "sums")
    ], seen.out
    assert '"broken": 1' in seen.out
    assert seen.out.splitlines()[-1].startswith("COMPLETED  6 completed")


def test_how_far_the_rows_are_is_told_while_they_run(bare_folder: Path, run: Run) -> None:
    run("init", "--template", "csv-rows")
    (file,) = bare_folder.rglob("workflow.yaml")
    looks = looks_at(read(file.read_text(encoding="utf-8")).tree, {"csv": ROWS}, (1, 3))
    assert [workflow_view.progress(look) for look in looks] == [
        "working… 1 of 3 tasks ended",
        "working… 3 of 5 tasks ended",
        "working… 6 of 6 tasks ended",
    ]
