"""Workflows: read, checked, planned and compiled when they are registered; started, carried and settled when they run."""
