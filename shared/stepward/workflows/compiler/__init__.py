"""Compile a checked document to a state machine, and to the program that functions read."""
