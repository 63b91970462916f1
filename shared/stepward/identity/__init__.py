"""Who may call, and how they prove it."""
