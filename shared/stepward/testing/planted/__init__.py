"""Promises of a run that are broken on purpose, to see that the schedules notice: `catalog.PLANTED` lists them."""
