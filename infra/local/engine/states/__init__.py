"""Patches of moto's Step Functions, by part of an execution."""
