"""What can be done with agents and their runs: use cases over the ports."""
