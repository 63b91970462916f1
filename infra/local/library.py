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
_TIMEOUT_S = 40.0


def http_client(laptop: Laptop) -> httpx2.Client:
    """Open a client of the laptop's HTTP API with its key."""
    headers = {"Authorization": f"Bearer {laptop.api_key}"}
    return httpx2.Client(base_url=laptop.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)


def upload_datasets(laptop: Laptop, folder: Path) -> list[str]:
    """Put every file of a folder where the tools of this tenant's agents look for data sets."""
    bucket = laptop.physical_id("AWS::S3::Bucket")
    keys = []
    for file in sorted(folder.iterdir()):
        keys.append(f"tenants/{laptop.options.tenant}/datasets/{file.name}")
        laptop.client("s3").put_object(Bucket=bucket, Key=keys[-1], Body=file.read_bytes())
    return keys


def register(client: httpx2.Client, file: Path) -> dict[str, Any]:
    """Register an agent's definition; a refusal is told with the API's own reason."""
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    response = client.post("/agents", json=definition)
    if response.status_code not in (200, 201):
        raise LaptopError(f"{file} was not registered: {response.status_code} {response.text}")
    registered: dict[str, Any] = response.json()
    return registered


def load_support(laptop: Laptop) -> str:
    """Upload the support data set, register its agent and give the agent's id."""
    upload_datasets(laptop, SUPPORT / "datasets")
    with http_client(laptop) as client:
        return str(register(client, SUPPORT / "agent.yaml")["id"])


def rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV file of the library."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
