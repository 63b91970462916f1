"""The building blocks that the stacks are made of, one capability a file."""
