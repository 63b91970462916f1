"""What can be proved of a workflow before it ever runs: that it ends, that it does not get stuck, that it keeps its policy."""
