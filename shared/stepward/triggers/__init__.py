"""What starts agents and workflows without a request: use cases over triggers, from their definition to what they start."""
