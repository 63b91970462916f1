"""What workflows compile to is kept: a change of it is seen, read and meant, and versions in flight keep theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stepward.workflows.checks.validate import definition_from
from stepward.workflows.compiler.compile import compile_workflow

FOLDER = Path(__file__).parent / "workflows"
DOCUMENTS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_compiles_to_the_machine_that_is_kept(document: Path) -> None:
    compiled = compile_workflow(definition_from(document.read_text(encoding="utf-8"), "yaml"))
    kept = document.with_suffix(".asl.json")
    assert json.loads(kept.read_text(encoding="utf-8")) == json.loads(compiled.text())


def test_machines_are_readable() -> None:
    machine = json.loads((FOLDER / "shapes.asl.json").read_text(encoding="utf-8"))
    assert machine["Comment"] == "Shapes 1.0.0"
    assert "Makes what the others need" in json.dumps(machine)
