"""Decompose a task graph into sequences, parallels and awaits.

`arrange` finds a tree whose every order is one of the graph's own, so no task waits for what it does not depend on; what
the tree leaves out, awaits enforce. Tasks are numbers here, in the order of the document.
"""
