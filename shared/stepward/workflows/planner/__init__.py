"""Predict a run before it starts: order, time, states and cost, and draw it."""
