"""Bring an edit to life while the laptop runs: code by new sandboxes, everything else by deploying the difference."""

from __future__ import annotations

from infra.local.reload.reloader import Reloader

__all__ = ["Reloader"]
