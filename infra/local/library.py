"""Put the shipped data sets and agents onto a laptop, by the same S3 and HTTP calls that a user would make."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import httpx2
import yaml

from infra.local.faults import LaptopError
from infra.local.laptop import Laptop
from infra.local.synthesis import ROOT

LIBRARY = ROOT / "shared" / "stepward" / "library"
SUPPORT = LIBRARY / "support"
BENCH = LIBRARY / "bench"
TEMPLATES = LIBRARY.parent / "templates"
_TIMEOUT_S = 40.0


def http_client(laptop: Laptop) -> httpx2.Client:
    """Open a client of the laptop's HTTP API with its key."""
    headers = {"Authorization": f"Bearer {laptop.api_key}"}
    return httpx2.Client(base_url=laptop.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)


def upload_datasets(laptop: Laptop, folder: Path) -> list[str]:
    """Put a folder's files where the tools of this tenant look for data sets.

    Files that are there already stay.
    """
    bucket = laptop.physical_id("AWS::S3::Bucket")
    keys = []
    for file in sorted(folder.iterdir()):
        keys.append(f"tenants/{laptop.options.tenant}/datasets/{file.name}")
        if laptop.keeper is not None and _exists(laptop, bucket, keys[-1]):
            continue
        laptop.client("s3").put_object(Bucket=bucket, Key=keys[-1], Body=file.read_bytes())
    return keys


def _exists(laptop: Laptop, bucket: str, key: str) -> bool:
    found = laptop.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    return key in {entry["Key"] for entry in found}


def register(client: httpx2.Client, file: Path, model: str | None = None) -> dict[str, Any]:
    """Register an agent's definition; a refusal is raised with the API's reason.

    Args:
        client: Of the laptop's HTTP API.
        file: The definition.
        model: Which model is to answer in place of the rehearsal, which is then left out.
    """
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    if model:
        del definition["rehearsal"]
        definition["model"] = model
    response = client.post("/agents", json=definition)
    if response.status_code not in (200, 201):
        raise LaptopError(f"{file} was not registered: {response.status_code} {response.text}")
    registered: dict[str, Any] = response.json()
    return registered


def load_support(laptop: Laptop, model: str | None = None) -> str:
    """Upload the bundled data sets, register the support agent and return its id."""
    for folder in (SUPPORT / "datasets", *sorted(TEMPLATES.glob("*/datasets"))):
        upload_datasets(laptop, folder)
    with http_client(laptop) as client:
        agent = yaml.safe_load((SUPPORT / "agent.yaml").read_text(encoding="utf-8"))["id"]
        if laptop.keeper is None or client.get(f"/agents/{agent}").status_code != 200:
            register(client, SUPPORT / "agent.yaml", model)
        return str(agent)


def rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV file of the library."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
