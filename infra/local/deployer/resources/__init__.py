"""Handlers by service, which turn resources of a template into calls of the AWS API."""
