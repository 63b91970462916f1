"""Keeps every test on this machine, and the same in every run: loopback is open where a test asks for it, nothing else ever."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

# The same examples in every run, however busy the machine: a test that is red now and then tells nothing.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")
