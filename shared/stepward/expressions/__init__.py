"""Evaluate JSONata in `{% … %}`, the language of Step Functions, within limits."""
