"""The catalog of tools: one file a tool, one line in the catalog."""
