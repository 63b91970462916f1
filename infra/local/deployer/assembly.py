"""A cloud assembly of `cdk synth`: its templates in order, and its assets."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from infra.local.deployer.faults import DeployError

_STACK_TYPE = "aws:cloudformation:stack"


@dataclass(frozen=True)
class StackTemplate:
    """One stack with its name and its template."""

    name: str
    template: dict[str, Any]

    @property
    def resources(self) -> dict[str, Any]:
        """The template's resources by logical id."""
        return dict(self.template.get("Resources", {}))


class Assembly:
    """A cloud assembly in a folder (`cdk.out`)."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest and the lists of assets."""
        self.folder = folder.resolve()
        manifest = self.folder / "manifest.json"
        if not manifest.is_file():
            raise DeployError(
                f"{folder} is no cloud assembly: it has no manifest.json. Run `python -m infra.app` first."
            )
        self._artifacts: dict[str, Any] = _read_json(manifest)["artifacts"]
        self._assets = dict(self._read_assets())

    def stacks(self) -> list[StackTemplate]:
        """List the stacks, each after those that it depends on."""
        needs = {name: artifact.get("dependencies", ()) for name, artifact in self._artifacts.items()}
        return [
            self._stack(name)
            for name in TopologicalSorter(needs).static_order()
            if self._artifacts.get(name, {}).get("type") == _STACK_TYPE
        ]

    def asset(self, object_key: str) -> Path:
        """Return the path of an asset by the S3 key that a template has for it."""
        asset_hash = object_key.rsplit("/", 1)[-1].split(".", maxsplit=1)[0]
        try:
            path = self._assets[asset_hash]
        except KeyError:
            raise DeployError(f"the assembly in {self.folder} has no asset for {object_key}") from None
        return _unpacked(path) if path.suffix == ".zip" else path

    def _stack(self, artifact_id: str) -> StackTemplate:
        properties = self._artifacts[artifact_id]["properties"]
        name = properties.get("stackName") or artifact_id
        return StackTemplate(name, _read_json(self.folder / properties["templateFile"]))

    def _read_assets(self) -> Iterator[tuple[str, Path]]:
        for file in sorted(self.folder.glob("*.assets.json")):
            for asset_hash, entry in _read_json(file)["files"].items():
                yield asset_hash, self.folder / entry["source"]["path"]


def _unpacked(archive: Path) -> Path:
    folder = archive.with_suffix(".unpacked")
    if not folder.is_dir():
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    return folder


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
