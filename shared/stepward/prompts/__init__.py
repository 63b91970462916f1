"""The prompt registry: registers templates, renders them in a sandbox, and fills the prompts of runs."""
