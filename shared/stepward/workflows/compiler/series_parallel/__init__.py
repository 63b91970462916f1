"""Decompose a task graph into sequences, parallels and awaits.

`arrange` returns a tree whose every order is one of the graph's own, so no task waits for what it does not depend
on; the dependencies that the tree leaves out are enforced by awaits. Tasks are numbers here, in document order.
"""
