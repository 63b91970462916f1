"""Compile a checked document into a state machine and the program that functions read."""
