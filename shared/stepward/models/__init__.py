"""The catalog of model backends: one file a backend, one line in the catalog."""
