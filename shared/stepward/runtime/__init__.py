"""The only place that knows Lambda: configuration, wiring, entries, logs."""
