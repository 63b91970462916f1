"""A workflow's run: begun, its tasks carried, their outcomes kept, its end decided."""
