"""The `stepward` command: the SDK and the laptop, for people and for scripts."""
