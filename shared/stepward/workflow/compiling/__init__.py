"""From a checked document to a native state machine, and to the program that its rooms read."""
