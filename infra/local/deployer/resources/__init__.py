"""Handlers by service: each turns one resource of a template into calls of the AWS API."""
