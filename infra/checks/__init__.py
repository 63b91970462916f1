"""Checks of what was synthesised, by the tools that others would check it with."""
