"""Prove that a workflow ends, does not deadlock and keeps its policy."""
