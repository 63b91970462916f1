"""The task types: one file a type with all that is special about it."""
