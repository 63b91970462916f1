"""Builders of the container: each makes the adapters or the services of one subject, and imports them on first use."""
