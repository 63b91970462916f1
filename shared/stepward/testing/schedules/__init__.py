"""Explore seeded schedules of runs: interleavings, deaths and faults.

Every invocation is an actor that is stopped before each call of a port. A seeded generator chooses who goes on, and
which fault the call meets. The same seed is the same schedule, so a failure can be replayed:
`python -m stepward.testing.schedules --seed 4711`.
"""
