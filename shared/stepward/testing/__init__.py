"""Runs in memory: the product's own use cases over the in-memory ports, for tests and for finding faults."""
