"""Code that runs in a sandbox; nothing in its folder can hide a function's module."""
