"""JSONata in `{% … %}`, the language that Step Functions speaks, bounded in time, steps and memory."""
