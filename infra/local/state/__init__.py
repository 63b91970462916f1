"""Keep what the laptop's AWS holds in a folder, so that tables, objects, messages and runs outlive the process."""

from __future__ import annotations

from infra.local.state.folder import DataFolderError
from infra.local.state.keeper import Keeper, Restored

__all__ = ["DataFolderError", "Keeper", "Restored"]
