"""Stepward: AI agents and workflows on AWS serverless."""

from __future__ import annotations

__version__ = "0.1.0"
