"""Code that runs in a sandbox and not in the laptop: its folder holds nothing that could hide a module of a room."""
