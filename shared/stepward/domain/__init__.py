"""The nouns and rules of Stepward: standard library and pydantic only, no AWS, no I/O."""
