"""Break promises of a run on purpose, to test that the schedules notice."""
