"""Services over agents and their runs, written against the ports."""
