"""Serve the API: register, publish, plan, show and list workflows and runs."""
