"""Functions and routes change while they serve."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2

from infra.local.laptop import Laptop
from tests.local.small_stack import ASSET, STACK, write_assembly


def test_functions_and_routes_change_under_way(laptop: Laptop, http: httpx2.Client, tmp_path: Path) -> None:
    folder = write_assembly(tmp_path)
    assert http.post("/echo", json={"answer": 1}).json() == 1
    template = json.loads((folder / "t.json").read_text())
    fresh = "b" * 64
    (folder / f"asset.{fresh}" / "rooms").mkdir(parents=True)
    (folder / f"asset.{fresh}" / "rooms" / "echo.py").write_text(
        "def handle(event, context):\n    return 'new'\n"
    )
    assets = {key: {"source": {"path": f"asset.{key}"}} for key in (ASSET, fresh)}
    (folder / "t.assets.json").write_text(json.dumps({"files": assets}))
    template["Resources"]["EchoFunction"]["Properties"]["Code"]["S3Key"] = f"{fresh}.zip"
    template["Resources"]["Guarded"]["Properties"]["RouteKey"] = "GET /renamed"
    (folder / "t.json").write_text(json.dumps(template))
    try:
        lines = laptop.update(folder)
        assert sorted(line.split()[1] for line in lines) == [f"{STACK}/EchoFunction", f"{STACK}/Guarded"]
        assert http.post("/echo", json={"answer": 1}).json() == "new"
        assert http.get("/renamed").json() == "new"
        assert http.get("/guarded").status_code == 404
    finally:
        laptop.update(write_assembly(tmp_path))
    assert http.post("/echo", json={"answer": 1}).json() == 1
    assert http.get("/guarded").status_code == 200
