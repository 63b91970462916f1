"""Test runs in memory, and run a fake model provider on loopback."""
