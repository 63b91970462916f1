"""Authentication: API keys, and how callers prove who they are."""
