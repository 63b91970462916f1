"""Facts about a definition and its program: names, scopes, graphs, bounds, limits."""
