"""Answer what holds of a workflow's definition and program, whoever asks."""
