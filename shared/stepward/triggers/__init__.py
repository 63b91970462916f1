"""Services over triggers: what starts agents and workflows without a request."""
