"""The gallery of task types: one file a type, one line of the catalog each."""
